SELECT o.due_at
FROM unnest(?1::bigint[], ?2::bigint[]) AS r (webhook, now),
     LATERAL (SELECT min(due_at) AS due_at FROM queue WHERE webhook = r.webhook AND due_at <= r.now) AS o
