SELECT count(*) FROM job WHERE state = 0 AND project = ?1
