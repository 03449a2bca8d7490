SELECT a.seq, a.tail, o.seq, o.tail, p.seq, p.tail, a.actor, a.operator, a.action, a.subject, a.detail, a.address
FROM audit AS a
LEFT JOIN organization AS o ON o.seq = a.organization
LEFT JOIN project AS p ON p.seq = a.project
WHERE a.seq < ?1 AND a.seq >= ?2 AND (?3 IS NULL OR a.action = ?3)
ORDER BY a.seq DESC LIMIT ?4
