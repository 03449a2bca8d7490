DELETE FROM replayed_delivery AS d USING unnest(?1::bigint[]) AS r (event) WHERE d.event = r.event
