-- What was never tried keeps its place by age, see release_lease.
UPDATE queue
SET due_at = CASE WHEN attempts = 0 AND seq >> 15 < now_ms() THEN seq >> 15 ELSE now_ms() END, epoch = epoch + 1
WHERE due_at IS NULL AND owner = ?1
