INSERT INTO plan (name, webhooks, is_default, iterations, command_timeout_ms) VALUES (?1, ?2, ?3, ?4, ?5)
