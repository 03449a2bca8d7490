DELETE FROM session WHERE account = ?1 AND seq <> ?2
