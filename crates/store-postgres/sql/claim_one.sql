SELECT q.seq, q.tail, q.project, q.rendering, q.epoch, q.attempts, q.manual,
       e.seq, e.tail, e.type, e.custom_id, e.scopes, e.content_type, e.label, e.payload, p.tail
FROM queue AS q
JOIN event AS e ON e.seq = q.event
JOIN project AS p ON p.seq = q.project
WHERE q.seq = ?1
FOR UPDATE OF q
