INSERT INTO receipt (seq, project, source, provider_id, type, address, headers, revision, via)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
