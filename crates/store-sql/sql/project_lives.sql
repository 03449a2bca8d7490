SELECT 1 FROM project WHERE seq = ?1 AND deleted_at IS NULL
