SELECT o.seq, o.tail, o.name, m.role
FROM member AS m JOIN organization AS o ON o.seq = m.organization
WHERE m.account = ?1 AND o.deleted_at IS NULL
ORDER BY m.organization LIMIT ?2
