SELECT event FROM custom_id WHERE project = ?1 AND id = ?2
