SELECT s.seq, s.tail, p.seq, p.tail, s.scopes, s.mode, s.expires_at, s.return_url
FROM portal_session AS s JOIN project AS p ON p.seq = s.project
WHERE s.seq = ?1 AND s.tail = ?2 AND p.deleted_at IS NULL
