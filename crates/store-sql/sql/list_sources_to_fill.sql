SELECT s.seq, s.tail, s.revision
FROM gap_fill AS g JOIN source AS s ON s.seq = g.source
WHERE g.source > ?1 AND g.active = 1 AND s.deleted_at IS NULL AND s.disabled = 0
ORDER BY g.source LIMIT ?2
