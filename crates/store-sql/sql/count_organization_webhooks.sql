SELECT count(*), count(*) FILTER (WHERE w.seq < ?2)
FROM project AS p JOIN webhook AS w ON w.project = p.seq
WHERE p.organization = ?1 AND p.deleted_at IS NULL AND p.hidden = 0 AND w.deleted_at IS NULL
