SELECT count(*) FROM portal_session WHERE project = ?1 AND expires_at > ?2
