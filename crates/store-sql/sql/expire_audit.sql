DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE seq < ?1 ORDER BY seq LIMIT ?2)
