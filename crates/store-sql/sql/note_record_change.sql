INSERT INTO record_change (project, kind, key, version, data, cause, at, delivery) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
