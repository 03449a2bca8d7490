-- By index alone: much may be held.
SELECT count(*) FROM (SELECT 1 FROM queue WHERE webhook = ?1 AND due_at IS NOT NULL LIMIT ?2) AS counted
