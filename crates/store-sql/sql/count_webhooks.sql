SELECT count(*) FROM (SELECT 1 FROM webhook WHERE project = ?1 AND deleted_at IS NULL LIMIT ?2) AS counted
