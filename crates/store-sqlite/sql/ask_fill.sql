UPDATE gap_fill SET mark = min(mark, ?2) WHERE source = ?1 AND active = 1
