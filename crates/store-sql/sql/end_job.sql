UPDATE job
SET state = ?2, error = ?3, finished_at = ?4, done = CASE WHEN ?2 = 1 THEN total ELSE done END
WHERE seq = ?1 AND state = 0
