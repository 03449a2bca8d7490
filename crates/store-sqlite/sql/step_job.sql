UPDATE job
SET place = ?2, done = done + ?3, queued = queued + ?4, total = max(total, done + ?3)
WHERE seq = ?1 AND state = 0
