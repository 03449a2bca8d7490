SELECT a.seq, a.tail, a.email, a.name, a.operator, NULL,
    (SELECT max(s.seen_at) FROM session AS s WHERE s.account = a.seq)
FROM account AS a
WHERE a.seq = ?1 AND a.tail = ?2 AND a.operator = 1
