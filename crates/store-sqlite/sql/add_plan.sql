INSERT INTO plan (name, webhooks, is_default) VALUES (?1, ?2, ?3)
