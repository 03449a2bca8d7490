SELECT 1 FROM event WHERE seq = ?1 AND tail = ?2 AND project = ?3 AND custom_id IS NULL
