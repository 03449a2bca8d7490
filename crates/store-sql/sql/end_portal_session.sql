UPDATE portal_session SET expires_at = ?4 WHERE seq = ?1 AND tail = ?2 AND project = ?3 AND expires_at > ?4
