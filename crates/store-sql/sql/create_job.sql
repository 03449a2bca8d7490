INSERT INTO job (seq, tail, project, webhook, state, request, done, total, queued, place)
VALUES (?1, ?2, ?3, ?4, 0, ?5, 0, ?6, 0, ?7)
