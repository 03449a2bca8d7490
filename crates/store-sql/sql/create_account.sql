INSERT INTO account (seq, tail, email, name, password_hash, operator) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
