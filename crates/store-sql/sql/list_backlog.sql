-- One look into the index for each webhook that has something waiting, not one for each delivery.
WITH RECURSIVE lane (webhook) AS (
    SELECT CAST(0 AS BIGINT)
    UNION ALL
    SELECT (SELECT min(q.webhook) FROM queue AS q WHERE q.webhook > lane.webhook AND q.due_at IS NOT NULL)
    FROM lane WHERE lane.webhook IS NOT NULL
)
SELECT w.seq, w.tail, w.project, p.tail,
       (SELECT min(q.due_at) FROM queue AS q WHERE q.webhook = w.seq AND q.due_at IS NOT NULL) AS due_at
FROM lane
JOIN webhook AS w ON w.seq = lane.webhook
JOIN project AS p ON p.seq = w.project
WHERE w.deleted_at IS NULL
