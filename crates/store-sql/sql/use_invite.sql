DELETE FROM invite WHERE seq = ?1
