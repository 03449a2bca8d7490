SELECT h.hour, h.delivered, h.failed, h.dropped, h.attempts, h.succeeded, h.total_ms, h.latency
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (webhook, first, last),
     LATERAL (
         SELECT * FROM webhook_hour WHERE webhook = r.webhook AND hour >= r.first AND hour <= r.last OFFSET 0
     ) AS h
