SELECT p.seq, p.tail, n.event_days
FROM plan AS n
JOIN organization AS o ON n.name = o.plan OR (o.plan IS NULL AND n.is_default <> 0)
JOIN project AS p ON p.organization = o.seq
WHERE n.event_days IS NOT NULL AND p.seq > ?1
ORDER BY p.seq LIMIT ?2
