DELETE FROM command WHERE seq IN (SELECT seq FROM command WHERE project = ?1 AND deleted_at IS NULL LIMIT ?2)
