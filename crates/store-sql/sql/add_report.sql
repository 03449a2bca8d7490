INSERT INTO report (type, data, created_at) VALUES (?1, ?2, ?3) RETURNING seq
