DELETE FROM attempt
WHERE delivery IN (SELECT seq FROM delivery WHERE seq BETWEEN ?2 AND ?3 AND event = ?1)
