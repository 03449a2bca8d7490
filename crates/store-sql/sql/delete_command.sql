UPDATE command SET deleted_at = ?3 WHERE project = ?1 AND name = ?2 AND deleted_at IS NULL
