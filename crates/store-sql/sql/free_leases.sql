-- What was never tried keeps its place by age, see release_lease.
UPDATE queue SET due_at = CASE WHEN attempts = 0 THEN min(?1, seq >> 15) ELSE ?1 END, epoch = epoch + 1
WHERE due_at IS NULL
