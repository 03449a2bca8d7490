DELETE FROM session WHERE seq IN (SELECT seq FROM session WHERE expires_at <= ?1 LIMIT ?2)
