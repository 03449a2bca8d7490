SELECT count(*) FROM (SELECT 1 FROM property WHERE project = ?1 AND owner = ?2 LIMIT ?3) AS counted
