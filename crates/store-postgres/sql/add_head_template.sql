-- Another process may add it at the same time: then it is there.
INSERT INTO head_template (text) VALUES (?1) ON CONFLICT DO NOTHING RETURNING id
