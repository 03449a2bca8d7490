SELECT s.seq, s.tail, p.seq, p.tail, s.scopes, s.mode, s.expires_at
FROM portal_session AS s JOIN project AS p ON p.seq = s.project
WHERE s.hash = ?1 AND s.expires_at > ?2 AND p.deleted_at IS NULL
