DELETE FROM queue WHERE seq = ?1 AND epoch = ?2 AND due_at IS NULL
