SELECT seq, tail, type, custom_id, scopes, content_type, label, ''::bytea, fanout, schema_version
FROM event
WHERE project = ?1 AND seq < ?2 AND seq >= ?3
  AND (?4 IS NULL OR type = ?4)
  AND (?5 IS NULL OR scopes::jsonb ? ?5)
ORDER BY seq DESC LIMIT ?6
