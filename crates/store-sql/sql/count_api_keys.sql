SELECT count(*) FROM (SELECT 1 FROM api_key WHERE organization = ?1 LIMIT ?2) AS counted
