INSERT INTO provider_id (source, id, receipt) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING
