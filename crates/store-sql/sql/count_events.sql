SELECT count(*) FROM (SELECT 1 FROM event WHERE project = ?1 AND seq >= ?2 AND seq < ?3 LIMIT ?4) AS counted
