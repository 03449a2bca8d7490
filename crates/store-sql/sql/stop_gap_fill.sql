UPDATE gap_fill SET active = 0 WHERE source = ?1
