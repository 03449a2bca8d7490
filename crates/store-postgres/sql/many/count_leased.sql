SELECT c.counted
FROM unnest(?1::bigint[]) AS r (webhook),
     LATERAL (SELECT count(*) AS counted FROM queue WHERE webhook = r.webhook AND due_at IS NULL) AS c
