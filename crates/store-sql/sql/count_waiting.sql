-- How many wait, and how many of them were tried before.
SELECT count(*), count(*) FILTER (WHERE attempts > 0)
FROM (SELECT attempts FROM queue WHERE webhook = ?1 AND due_at IS NOT NULL LIMIT ?2) AS counted
