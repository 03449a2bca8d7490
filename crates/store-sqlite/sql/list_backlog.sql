SELECT q.webhook, w.tail, q.project, p.tail, q.due_at
FROM (SELECT webhook, project, min(due_at) AS due_at FROM queue WHERE due_at IS NOT NULL GROUP BY webhook) AS q
JOIN webhook AS w ON w.seq = q.webhook
JOIN project AS p ON p.seq = q.project
WHERE w.deleted_at IS NULL
