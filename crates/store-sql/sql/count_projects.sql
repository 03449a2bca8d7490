SELECT count(*) FROM (SELECT 1 FROM project WHERE organization = ?1 AND deleted_at IS NULL AND hidden = 0 LIMIT ?2) AS counted
