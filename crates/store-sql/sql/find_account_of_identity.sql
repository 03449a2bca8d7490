SELECT a.seq, a.tail, a.email, a.name, a.operator, a.password_hash
FROM identity AS i JOIN account AS a ON a.seq = i.account
WHERE i.issuer = ?1 AND i.subject = ?2
