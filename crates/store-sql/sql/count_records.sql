SELECT count(*) FROM (SELECT 1 FROM record WHERE project = ?1 AND kind = ?2 AND data IS NOT NULL LIMIT ?3) AS counted
