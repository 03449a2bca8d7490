DELETE FROM portal WHERE project IN (SELECT project FROM portal WHERE project = ?1 LIMIT ?2)
