INSERT INTO record (project, kind, key, data, version, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (project, kind, key) DO UPDATE SET
    data = excluded.data, version = excluded.version, updated_at = excluded.updated_at
