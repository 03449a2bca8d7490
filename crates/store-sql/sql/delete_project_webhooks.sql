UPDATE webhook SET deleted_at = ?2 WHERE project = ?1 AND deleted_at IS NULL RETURNING seq
