DELETE FROM attempt AS a USING unnest(?1::bigint[]) AS r (event), replayed_delivery AS d
WHERE d.event = r.event AND a.delivery = d.delivery
