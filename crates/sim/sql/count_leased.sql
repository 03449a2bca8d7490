SELECT count(*) FROM queue WHERE webhook = ?1 AND due_at IS NULL
