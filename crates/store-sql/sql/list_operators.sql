SELECT a.seq, a.tail, a.email, a.name, a.operator, NULL,
    (SELECT max(s.seen_at) FROM session AS s WHERE s.account = a.seq)
FROM account AS a
WHERE a.operator = 1 AND a.seq < ?1
ORDER BY a.seq DESC LIMIT ?2
