-- It has no attempt of its own, and still shows how the last one went.
INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at, status, total_us, error)
SELECT seq, tail, event, webhook, project, rendering, epoch, 5, attempts, ?2, last_status, last_total_us, last_error
FROM queue WHERE seq = ?1
