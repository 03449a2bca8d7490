SELECT q.due_at, q.webhook, w.tail, w.status, w.deleted_at
FROM queue AS q JOIN webhook AS w ON w.seq = q.webhook
WHERE q.seq = ?1 AND q.tail = ?2 AND q.project = ?3
