INSERT INTO identity (issuer, subject, account) VALUES (?1, ?2, ?3)
