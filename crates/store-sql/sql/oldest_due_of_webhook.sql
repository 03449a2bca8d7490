SELECT min(due_at) FROM queue WHERE webhook = ?1 AND due_at <= ?2
