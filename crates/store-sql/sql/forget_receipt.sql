DELETE FROM receipt WHERE seq = ?1
