SELECT d.webhook, w.tail, w.status, w.deleted_at, d.started_at IS NOT NULL, d.state, d.finished_at
FROM delivery AS d JOIN webhook AS w ON w.seq = d.webhook
WHERE d.seq = ?1 AND d.tail = ?2 AND d.project = ?3
