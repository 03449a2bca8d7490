SELECT d.seq, d.state, d.finished_at, e.type, e.expunged_at IS NOT NULL
FROM delivery AS d JOIN event AS e ON e.seq = d.event
WHERE d.webhook = ?1 AND d.seq > ?2 AND d.seq < ?3 AND d.state <> 2
ORDER BY d.seq LIMIT ?4
