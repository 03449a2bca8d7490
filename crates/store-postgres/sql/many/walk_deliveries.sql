-- Whoever wants the newest asks for so few webhooks at a time that the last limit cuts off nothing; whoever counts, does
-- not count so far.
SELECT d.seq
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::text[], ?6::bigint[])
         AS r (webhook, before, first, state, event_type, most),
     LATERAL (
         SELECT seq FROM delivery
         WHERE webhook = r.webhook AND seq < r.before AND seq >= r.first AND (r.state IS NULL OR state = r.state)
           AND (r.event_type IS NULL OR (SELECT type FROM event WHERE event.seq = delivery.event) = r.event_type)
         ORDER BY seq DESC LIMIT r.most
     ) AS d
LIMIT 50000
