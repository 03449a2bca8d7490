SELECT organization, name, version, schema, created_at, retired FROM event_type_schema
WHERE organization IN (?1, 0) AND (?2 IS NULL OR name = ?2) AND (?3 <> 0 OR retired = 0)
ORDER BY organization, name, version
