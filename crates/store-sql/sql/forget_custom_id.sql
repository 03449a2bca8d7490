DELETE FROM custom_id WHERE project = ?1 AND id = ?2 AND event = ?3
