UPDATE queue SET due_at = NULL, epoch = epoch + 1, owner = current_setting('tidings.node')::bigint
WHERE seq = ANY(?1::bigint[])
