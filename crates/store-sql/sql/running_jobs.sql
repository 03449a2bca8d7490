SELECT j.seq, j.tail, p.seq, p.tail, w.seq, w.tail, j.state, j.request, j.done, j.total, j.queued, j.place, j.error,
       j.finished_at, w.status = 0, w.deleted_at IS NOT NULL
FROM job AS j JOIN project AS p ON p.seq = j.project JOIN webhook AS w ON w.seq = j.webhook
WHERE j.state = 0 AND j.seq > ?1 ORDER BY j.seq LIMIT ?2
