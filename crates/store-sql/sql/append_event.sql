INSERT INTO event (seq, tail, project, fanout, type, custom_id, scopes, content_type, label, payload, schema_version, after_runs)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
