SELECT 1 FROM provider_id WHERE source = ?1 AND id = ?2
