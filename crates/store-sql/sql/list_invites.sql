SELECT i.seq, i.tail, o.seq, o.tail, i.role, i.email, i.expires_at, i.made_by
FROM invite AS i LEFT JOIN organization AS o ON o.seq = i.organization
WHERE i.organization = ?1 AND i.expires_at > ?2
ORDER BY i.seq DESC LIMIT ?3
