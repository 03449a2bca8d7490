INSERT INTO event_type_schema (organization, name, version, schema, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO NOTHING
