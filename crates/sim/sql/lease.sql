UPDATE queue SET due_at = NULL, epoch = epoch + 1, owner = (SELECT node FROM here) WHERE seq = ?1
