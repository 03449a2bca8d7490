SELECT s.seq, s.tail, s.seen_at, s.expires_at, s.address, s.user_agent,
    a.seq, a.tail, a.email, a.name, a.operator, a.password_hash IS NOT NULL
FROM session AS s JOIN account AS a ON a.seq = s.account
WHERE s.hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?3
