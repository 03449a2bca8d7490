UPDATE project SET deleted_at = ?2 WHERE seq = ?1 AND deleted_at IS NULL
