UPDATE webhook SET deleted_at = ?4 WHERE seq = ?1 AND tail = ?2 AND project = ?3 AND deleted_at IS NULL
