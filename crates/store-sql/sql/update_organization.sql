UPDATE organization SET name = coalesce(?3, name), schema_mode = coalesce(?4, schema_mode)
WHERE seq = ?1 AND tail = ?2 AND deleted_at IS NULL
