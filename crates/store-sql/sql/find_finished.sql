SELECT d.webhook, w.tail, w.status, w.deleted_at, d.started_at IS NOT NULL, d.state, d.finished_at,
       e.expunged_at IS NOT NULL
FROM delivery AS d JOIN webhook AS w ON w.seq = d.webhook JOIN event AS e ON e.seq = d.event
WHERE d.seq = ?1 AND d.tail = ?2 AND d.project = ?3
