UPDATE webhook
SET settings = coalesce(?4, settings), sealed = coalesce(?5, sealed), status = coalesce(?6, status),
    disabled_reason = CASE WHEN ?6 IS NULL THEN disabled_reason ELSE ?7 END,
    revision = revision + 1, updated_at = ?8
WHERE seq = ?1 AND tail = ?2 AND project = ?3 AND revision = ?9 AND deleted_at IS NULL
