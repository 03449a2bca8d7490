INSERT INTO source (seq, tail, project, name, kind, token_hash, disabled, settings, sealed, revision, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?3 AND deleted_at IS NULL AND hidden = 0)
