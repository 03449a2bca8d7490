SELECT seq, tail, type, custom_id, scopes, content_type, label, payload, schema_version
FROM event WHERE project = ?1 AND ((seq = ?2 AND tail = ?3 AND custom_id IS NULL) OR custom_id = ?4)
