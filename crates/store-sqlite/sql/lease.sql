UPDATE queue SET due_at = NULL, epoch = epoch + 1 WHERE seq = ?1
