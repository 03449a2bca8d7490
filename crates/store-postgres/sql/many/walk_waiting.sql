-- Whoever wants the newest asks for so few webhooks at a time that the last limit cuts off nothing; whoever counts, does
-- not count so far.
SELECT d.seq
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::text[], ?6::bigint[])
         AS r (webhook, before, first, tried, event_type, most),
     LATERAL (
         SELECT seq FROM queue
         WHERE webhook = r.webhook AND seq < r.before AND seq >= r.first AND due_at IS NOT NULL
           AND (r.tried IS NULL OR (attempts > 0) = (r.tried <> 0))
           AND (r.event_type IS NULL OR (SELECT type FROM event WHERE event.seq = queue.event) = r.event_type)
         ORDER BY seq DESC LIMIT r.most
     ) AS d
LIMIT 50000
