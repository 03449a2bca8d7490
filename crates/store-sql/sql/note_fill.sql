UPDATE gap_fill
SET mark = CASE WHEN mark = ?2 THEN ?3 ELSE mark END, last_run_at = ?4, last_error = ?5, left_out = left_out + ?6
WHERE source = ?1
