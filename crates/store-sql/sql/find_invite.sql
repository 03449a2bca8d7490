SELECT i.seq, i.tail, o.seq, o.tail, i.role, i.email, i.expires_at, i.made_by, o.name
FROM invite AS i LEFT JOIN organization AS o ON o.seq = i.organization AND o.deleted_at IS NULL
WHERE i.hash = ?1 AND i.expires_at > ?2 AND (o.seq IS NOT NULL OR i.organization = 0)
