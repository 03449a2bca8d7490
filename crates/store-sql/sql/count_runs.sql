SELECT count(*) FROM (SELECT 1 FROM run WHERE project = ?1 LIMIT ?2) AS counted
