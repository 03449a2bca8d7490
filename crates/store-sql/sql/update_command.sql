UPDATE command SET code = ?3, timeout_ms = ?4, concurrency = ?5, schedule = ?6, next_run_at = ?7, updated_at = ?8,
    revision = revision + 1
WHERE project = ?1 AND name = ?2 AND deleted_at IS NULL AND (?9 IS NULL OR revision = ?9)
