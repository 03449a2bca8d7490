UPDATE webhook SET cancelled = 0
WHERE deleted_at IS NOT NULL AND seq IN (SELECT DISTINCT webhook FROM queue)
