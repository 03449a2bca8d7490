SELECT seq FROM queue WHERE webhook = ?1 AND due_at IS NOT NULL ORDER BY due_at, seq LIMIT ?2
