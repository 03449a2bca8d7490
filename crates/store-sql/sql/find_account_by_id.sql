SELECT seq, tail, email, name, operator, password_hash FROM account WHERE seq = ?1 AND tail = ?2
