UPDATE gap_fill SET mark = CASE WHEN ?2 < mark THEN ?2 ELSE mark END WHERE source = ?1 AND active = 1
