DELETE FROM run WHERE seq IN (SELECT seq FROM run WHERE place < ?1 ORDER BY place LIMIT ?2)
