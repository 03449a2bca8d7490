UPDATE source
SET name = ?4, disabled = ?5, settings = ?6, sealed = ?7, revision = revision + 1, updated_at = ?8
WHERE seq = ?1 AND tail = ?2 AND project = ?3 AND revision = ?9 AND deleted_at IS NULL
