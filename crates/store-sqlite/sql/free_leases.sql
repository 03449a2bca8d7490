UPDATE queue SET due_at = ?1, epoch = epoch + 1 WHERE due_at IS NULL
