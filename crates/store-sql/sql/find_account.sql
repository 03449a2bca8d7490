SELECT seq, tail, email, name, operator, password_hash FROM account WHERE email = ?1
