-- What was never tried is due since it was accepted (the upper bits of seq, see domain::ids), so that
-- it keeps its place among what waits; what is a retry is due now.
UPDATE queue SET due_at = CASE WHEN attempts = 0 AND seq >> 15 < ?3 THEN seq >> 15 ELSE ?3 END
WHERE seq = ?1 AND epoch = ?2 AND due_at IS NULL
