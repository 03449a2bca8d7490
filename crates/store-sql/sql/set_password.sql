UPDATE account SET password_hash = ?3 WHERE seq = ?1 AND tail = ?2
