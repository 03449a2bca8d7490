INSERT INTO event_type (organization, name, group_name, description, example, archived)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO NOTHING
