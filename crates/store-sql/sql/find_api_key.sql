SELECT k.seq, k.tail, o.seq, o.tail, p.seq, p.tail, k.name, k.prefix, k.scopes, k.expires_at, k.revoked_at,
       d.seq, d.tail
FROM api_key AS k
LEFT JOIN organization AS o ON o.seq = k.organization
LEFT JOIN project AS p ON p.seq = k.project
LEFT JOIN project AS d ON d.seq = o.default_project
WHERE k.hash = ?1
