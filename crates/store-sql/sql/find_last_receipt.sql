SELECT max(seq) FROM receipt WHERE source = ?1
