SELECT seq, fanout FROM event
WHERE project = ?1 AND seq < ?2 AND seq >= ?3 AND fanout > 0 AND (?4 IS NULL OR type = ?4)
ORDER BY seq DESC LIMIT ?5
