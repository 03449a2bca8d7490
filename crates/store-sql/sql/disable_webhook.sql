UPDATE webhook SET status = 2, disabled_reason = ?2, revision = revision + 1, updated_at = ?3
WHERE seq = ?1 AND status <> 2 AND deleted_at IS NULL
