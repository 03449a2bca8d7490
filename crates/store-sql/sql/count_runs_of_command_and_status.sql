SELECT count(*) FROM (SELECT 1 FROM run WHERE project = ?1 AND command = ?3 AND status = ?4 LIMIT ?2) AS counted
