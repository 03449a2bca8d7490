UPDATE job
SET place = ?2, done = done + ?3, queued = queued + ?4, 
    total = CASE WHEN total < done + ?3 THEN done + ?3 ELSE total END
WHERE seq = ?1 AND state = 0
