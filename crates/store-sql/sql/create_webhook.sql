INSERT INTO webhook (seq, tail, project, status, disabled_reason, settings, sealed, revision, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?3 AND deleted_at IS NULL)
