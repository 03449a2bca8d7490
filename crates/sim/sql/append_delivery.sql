INSERT INTO queue (seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at, owner)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0, 0, ?7, (SELECT node FROM here))
