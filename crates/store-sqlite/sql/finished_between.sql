SELECT seq FROM delivery WHERE seq BETWEEN ?1 AND ?2 AND (NOT ?3 OR state = 2)
