-- An organization's, or the instance's for 0.
WITH raised AS (UPDATE organization SET version = version + 1 WHERE seq = ?1)
UPDATE instance SET version = version + 1 WHERE id = 0 AND ?1 = 0
