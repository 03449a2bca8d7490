-- Only somebody without a place.
DELETE FROM account
WHERE seq = ?1 AND operator = 0 AND NOT EXISTS (SELECT 1 FROM member WHERE account = ?1)
