DELETE FROM idempotency WHERE (owner, key) IN (
    SELECT owner, key FROM idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT ?2
)
