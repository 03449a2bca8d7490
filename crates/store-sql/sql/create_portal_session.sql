INSERT INTO portal_session (seq, tail, hash, project, scopes, mode, expires_at, return_url)
SELECT ?1, ?2, ?3, ?4, ?6, ?7, ?8, ?9
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?4 AND tail = ?5 AND deleted_at IS NULL AND hidden = 0)
