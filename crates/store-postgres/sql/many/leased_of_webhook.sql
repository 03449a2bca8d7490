SELECT q.seq
FROM unnest(?1::bigint[], ?2::bigint[]) AS r (webhook, before),
     LATERAL (SELECT seq FROM queue WHERE webhook = r.webhook AND seq < r.before AND due_at IS NULL OFFSET 0) AS q
