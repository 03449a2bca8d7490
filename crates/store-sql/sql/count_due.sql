SELECT count(*) FROM (SELECT 1 FROM queue WHERE webhook = ?1 AND due_at <= ?2 LIMIT ?3) AS counted
