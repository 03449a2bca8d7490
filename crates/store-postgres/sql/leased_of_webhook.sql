SELECT seq FROM queue WHERE webhook = ?1 AND seq < ?2 AND due_at IS NULL
