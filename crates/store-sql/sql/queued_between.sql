SELECT seq FROM queue WHERE seq BETWEEN ?1 AND ?2 AND event = ?3
