UPDATE job SET state = ?2, error = ?3, finished_at = ?4 WHERE seq = ?1 AND state = 0
