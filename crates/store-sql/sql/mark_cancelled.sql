UPDATE webhook SET cancelled = 1
WHERE seq = ?1 AND deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM queue WHERE webhook = ?1 AND due_at IS NOT NULL)
