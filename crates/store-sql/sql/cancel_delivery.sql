INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at)
SELECT seq, tail, event, webhook, project, rendering, epoch, 5, attempts, ?2 FROM queue WHERE seq = ?1
