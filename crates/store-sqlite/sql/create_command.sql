INSERT INTO command (seq, tail, project, name, code, timeout_ms, revision, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?3 AND deleted_at IS NULL AND hidden = 0)
