DELETE FROM portal_session WHERE seq IN (SELECT seq FROM portal_session WHERE project = ?1 LIMIT ?2)
