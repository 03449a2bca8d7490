-- A lease that nobody knows of: whoever took it never learned that it had.
UPDATE queue
SET due_at = CASE WHEN attempts = 0 AND seq >> 15 < now_ms() THEN seq >> 15 ELSE now_ms() END
WHERE due_at IS NULL AND owner = ?1 AND seq = ?2
