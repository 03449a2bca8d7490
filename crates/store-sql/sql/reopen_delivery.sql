INSERT INTO queue (
    seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at, last_status, last_total_us,
    last_error
)
SELECT seq, tail, event, webhook, project, rendering, epoch + 1, attempts, 1, ?2, status, total_us, error
FROM delivery WHERE seq = ?1
