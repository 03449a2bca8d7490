SELECT c.counted, c.tried
FROM unnest(?1::bigint[], ?2::bigint[]) AS r (webhook, most),
     LATERAL (
         SELECT count(*) AS counted, count(*) FILTER (WHERE attempts > 0) AS tried
         FROM (SELECT attempts FROM queue WHERE webhook = r.webhook AND due_at IS NOT NULL LIMIT r.most) AS waiting
     ) AS c
