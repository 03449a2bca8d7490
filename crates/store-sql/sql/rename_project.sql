UPDATE project SET name = ?3 WHERE seq = ?1 AND tail = ?2 AND deleted_at IS NULL
