SELECT webhook FROM queue WHERE seq = ?1
