DELETE FROM run WHERE seq IN (SELECT seq FROM run WHERE project = ?1 LIMIT ?2)
