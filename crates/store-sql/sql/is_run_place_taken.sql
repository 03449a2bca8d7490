SELECT 1 FROM run WHERE place = ?1
