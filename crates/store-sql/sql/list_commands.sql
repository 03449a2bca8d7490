SELECT c.seq, c.tail, p.seq, p.tail, c.name, c.code, c.timeout_ms, c.revision, c.updated_at,
       c.concurrency, c.schedule, c.next_run_at
FROM command AS c JOIN project AS p ON p.seq = c.project
WHERE c.project = ?1 AND c.seq < ?2 AND c.deleted_at IS NULL
ORDER BY c.seq DESC LIMIT ?3
