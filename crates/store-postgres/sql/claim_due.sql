-- What another process is just claiming is left to it.
SELECT q.seq, q.tail, q.project, q.rendering, q.epoch, q.attempts, q.manual,
       e.seq, e.tail, e.type, e.custom_id, e.scopes, e.content_type, e.label, e.payload, p.tail
FROM queue AS q
JOIN event AS e ON e.seq = q.event
JOIN project AS p ON p.seq = q.project
WHERE q.webhook = ?1 AND q.due_at <= ?2
ORDER BY q.due_at, q.seq
LIMIT ?3
FOR UPDATE OF q SKIP LOCKED
