DELETE FROM delivery AS d USING unnest(?1::bigint[]) AS r (event), replayed_delivery AS p
WHERE p.event = r.event AND d.seq = p.delivery
