INSERT INTO idempotency (owner, key, request_hash, status, response, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO NOTHING
