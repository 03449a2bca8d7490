SELECT seq, webhook FROM queue WHERE seq IN (SELECT value FROM json_each(?1))
