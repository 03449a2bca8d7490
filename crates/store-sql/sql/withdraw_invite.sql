DELETE FROM invite WHERE seq = ?1 AND tail = ?2 AND organization = ?3
