SELECT 1 FROM webhook WHERE seq = ?1 AND deleted_at IS NOT NULL
