DELETE FROM report WHERE seq <= ?1
