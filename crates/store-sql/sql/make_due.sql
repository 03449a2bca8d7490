UPDATE queue SET due_at = ?2 WHERE seq = ?1 AND due_at IS NOT NULL
