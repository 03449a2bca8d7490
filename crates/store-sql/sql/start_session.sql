INSERT INTO session (seq, tail, hash, account, seen_at, expires_at, address, user_agent)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
