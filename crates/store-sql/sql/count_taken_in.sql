UPDATE gap_fill SET taken_in = taken_in + 1 WHERE source = ?1
