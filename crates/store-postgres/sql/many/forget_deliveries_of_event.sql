DELETE FROM delivery AS d USING unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (event, first, last)
WHERE d.seq BETWEEN r.first AND r.last AND d.event = r.event
