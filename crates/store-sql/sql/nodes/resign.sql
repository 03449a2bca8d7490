UPDATE leader SET node = NULL, until = 0 WHERE node = ?1
