INSERT INTO head_template (text) VALUES (?1) RETURNING id
