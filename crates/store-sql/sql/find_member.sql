SELECT a.seq, a.tail, a.email, a.name, a.operator, m.role,
    (SELECT max(s.seen_at) FROM session AS s WHERE s.account = m.account)
FROM member AS m JOIN account AS a ON a.seq = m.account
WHERE m.organization = ?1 AND m.account = ?2 AND a.tail = ?3
