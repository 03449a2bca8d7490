INSERT INTO api_key (seq, tail, hash, organization, project, name, prefix, scopes, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
