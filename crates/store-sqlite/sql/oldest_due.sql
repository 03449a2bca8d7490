SELECT min(q.due_at)
FROM (SELECT webhook, min(due_at) AS due_at FROM queue WHERE due_at IS NOT NULL GROUP BY webhook) AS q
JOIN webhook AS w ON w.seq = q.webhook
WHERE w.status = 0 AND w.deleted_at IS NULL AND q.due_at <= ?1
