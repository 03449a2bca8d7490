SELECT seq FROM queue
WHERE seq = ?1 AND due_at IS NULL AND (?2 IS NULL OR (attempts > 0) = (?2 <> 0))
  AND (?3 IS NULL OR (SELECT type FROM event WHERE event.seq = queue.event) = ?3)
