SELECT c.counted
FROM unnest(?1::bigint[], ?2::bigint[]) AS r (webhook, most),
     LATERAL (
         SELECT count(*) AS counted
         FROM (SELECT 1 FROM queue WHERE webhook = r.webhook AND due_at IS NOT NULL LIMIT r.most) AS held
     ) AS c
