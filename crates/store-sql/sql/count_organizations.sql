SELECT count(*) FROM (SELECT 1 FROM organization WHERE deleted_at IS NULL LIMIT ?1) AS counted
