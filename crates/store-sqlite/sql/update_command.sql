UPDATE command SET code = ?3, timeout_ms = ?4, updated_at = ?5, revision = revision + 1
WHERE project = ?1 AND name = ?2 AND deleted_at IS NULL
