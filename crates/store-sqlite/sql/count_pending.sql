SELECT (SELECT count(*) FROM queue), (SELECT min(due_at) FROM queue WHERE due_at IS NOT NULL AND due_at <= ?1)
