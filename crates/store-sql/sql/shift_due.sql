UPDATE queue SET due_at = due_at + ?1 WHERE due_at IS NOT NULL
