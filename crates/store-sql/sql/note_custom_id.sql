INSERT INTO custom_id (project, id, event) VALUES (?1, ?2, ?3)
