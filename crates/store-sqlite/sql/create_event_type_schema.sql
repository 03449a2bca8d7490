INSERT INTO event_type_schema (organization, name, version, schema, created_at) VALUES (?1, ?2, 1, ?3, ?4)
ON CONFLICT DO NOTHING
