DELETE FROM invite WHERE seq IN (SELECT seq FROM invite WHERE expires_at <= ?1 LIMIT ?2)
