SELECT 1 FROM event WHERE seq = ?1 AND expunged_at IS NOT NULL
