SELECT seq FROM delivery
WHERE webhook = ?1 AND seq < ?2 AND seq >= ?3 AND (?4 IS NULL OR state = ?4)
  AND (?5 IS NULL OR (SELECT type FROM event WHERE event.seq = delivery.event) = ?5)
ORDER BY seq DESC LIMIT ?6
