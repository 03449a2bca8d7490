INSERT INTO invite (seq, tail, hash, organization, role, email, expires_at, made_by)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
