SELECT v.seq, v.tail, w.seq, w.tail, e.seq, e.tail, e.custom_id, e.type, v.state, v.attempts, v.status, v.total_us,
       v.error, v.finished_at, v.due_at, w.status, v.rendering, v.started_at
FROM unnest(?1::bigint[], ?2::bigint[]) AS r (seq, project),
LATERAL (
    SELECT seq, tail, webhook, event, project, state, attempts, status, total_us, error, finished_at, NULL AS due_at,
           rendering, COALESCE(started_at,
               (SELECT a.started_at FROM attempt AS a WHERE a.delivery = delivery.seq ORDER BY a.number DESC LIMIT 1)
           ) AS started_at
    FROM delivery WHERE seq = r.seq
    UNION ALL
    SELECT seq, tail, webhook, event, project, CASE WHEN attempts = 0 THEN 0 ELSE 1 END, attempts, last_status,
           last_total_us, last_error, NULL, due_at, rendering,
           (SELECT a.started_at FROM attempt AS a WHERE a.delivery = queue.seq ORDER BY a.number DESC LIMIT 1)
    FROM queue WHERE seq = r.seq
) AS v
JOIN webhook AS w ON w.seq = v.webhook
JOIN event AS e ON e.seq = v.event
WHERE v.project = r.project
