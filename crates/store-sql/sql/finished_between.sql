SELECT seq FROM delivery WHERE seq BETWEEN ?1 AND ?2 AND event = ?3
