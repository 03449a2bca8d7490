SELECT fanout FROM event WHERE seq = ?1
