DELETE FROM portal_session WHERE seq IN (SELECT seq FROM portal_session WHERE expires_at <= ?1 LIMIT ?2)
