DELETE FROM command WHERE seq IN (SELECT seq FROM command WHERE project = ?1 AND deleted_at IS NOT NULL LIMIT ?2)
