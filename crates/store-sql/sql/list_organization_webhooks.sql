SELECT w.seq, w.tail, p.seq, p.tail, w.status, w.disabled_reason
FROM project AS p JOIN webhook AS w ON w.project = p.seq
WHERE p.organization = ?1 AND p.deleted_at IS NULL AND p.hidden = 0 AND w.deleted_at IS NULL
ORDER BY w.seq
