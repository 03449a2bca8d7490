DELETE FROM session WHERE seq = ?1 AND tail = ?2 AND account = ?3
