SELECT seq FROM queue
WHERE webhook = ?1 AND seq < ?2 AND seq >= ?3 AND due_at IS NOT NULL
  AND (?4 IS NULL OR (attempts > 0) = (?4 <> 0))
  AND (?5 IS NULL OR (SELECT type FROM event WHERE event.seq = queue.event) = ?5)
ORDER BY seq DESC LIMIT ?6
