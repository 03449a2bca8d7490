SELECT delivery FROM replayed_delivery
WHERE project = ?1 AND delivery < ?2 AND delivery >= ?3
  AND (?4 IS NULL OR (SELECT type FROM event WHERE event.seq = replayed_delivery.event) = ?4)
ORDER BY delivery DESC LIMIT ?5
