UPDATE queue SET due_at = ?3 WHERE seq = ?1 AND epoch = ?2 AND due_at IS NULL
