DELETE FROM portal_session WHERE seq = ?1 AND tail = ?2 AND project = ?3
