SELECT 1 FROM receipt WHERE source = ?1 AND provider_id = ?2
