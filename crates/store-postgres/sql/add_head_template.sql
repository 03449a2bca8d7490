-- Two processes may add it at the same time.
INSERT INTO head_template (text) VALUES (?1) ON CONFLICT (text) DO UPDATE SET text = excluded.text RETURNING id
