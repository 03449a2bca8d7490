DELETE FROM attempt AS a
USING unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (event, first, last), delivery AS d
WHERE d.seq BETWEEN r.first AND r.last AND d.event = r.event AND a.delivery = d.seq
