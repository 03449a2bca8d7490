UPDATE account SET operator = ?2 WHERE seq = ?1
