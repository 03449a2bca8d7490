DELETE FROM queue WHERE seq = ?1
