SELECT k.seq, k.tail, o.seq, o.tail, p.seq, p.tail, k.name, k.prefix, k.scopes, k.expires_at, k.revoked_at
FROM api_key AS k
LEFT JOIN organization AS o ON o.seq = k.organization
LEFT JOIN project AS p ON p.seq = k.project
WHERE k.organization = ?1 AND k.seq < ?2
ORDER BY k.seq DESC LIMIT ?3
