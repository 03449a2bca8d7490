-- See list_backlog.
WITH RECURSIVE lane (webhook) AS (
    SELECT CAST(0 AS BIGINT)
    UNION ALL
    SELECT (SELECT min(q.webhook) FROM queue AS q WHERE q.webhook > lane.webhook AND q.due_at IS NOT NULL)
    FROM lane WHERE lane.webhook IS NOT NULL
)
SELECT min((SELECT min(q.due_at) FROM queue AS q WHERE q.webhook = w.seq AND q.due_at <= ?1))
FROM lane
JOIN webhook AS w ON w.seq = lane.webhook
WHERE w.status = 0 AND w.deleted_at IS NULL
