SELECT count(*) FROM (SELECT 1 FROM invite WHERE organization = ?1 AND expires_at > ?2 LIMIT ?3) AS counted
