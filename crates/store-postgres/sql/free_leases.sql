-- Of processes that live no more. What was never tried keeps its place by age, see release_lease.
UPDATE queue SET due_at = CASE WHEN attempts = 0 AND seq >> 15 < ?1 THEN seq >> 15 ELSE ?1 END, epoch = epoch + 1
WHERE due_at IS NULL
