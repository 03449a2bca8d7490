INSERT INTO plan (name, webhooks, is_default, iterations, command_timeout_ms, event_days)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
