SELECT j.seq, j.tail, p.seq, p.tail, w.seq, w.tail, j.state, j.request, j.done, j.total, j.queued, j.place, j.error,
       j.finished_at, w.status = 0, w.deleted_at IS NOT NULL
FROM job AS j JOIN project AS p ON p.seq = j.project JOIN webhook AS w ON w.seq = j.webhook
WHERE j.seq = ?1 AND j.tail = ?2 AND (?3 IS NULL OR j.project = ?3)
