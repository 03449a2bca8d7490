INSERT INTO property (project, owner, name, kind, value) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (project, owner, name) DO UPDATE SET kind = excluded.kind, value = excluded.value
