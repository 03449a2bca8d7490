-- All of them are held by hold_hours.
UPDATE webhook_hour AS h
SET delivered = r.delivered, failed = r.failed, dropped = r.dropped, attempts = r.attempts, succeeded = r.succeeded,
    total_ms = r.total_ms, latency = r.latency
FROM unnest(
    ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::bigint[], ?6::bigint[], ?7::bigint[], ?8::bigint[],
    ?9::bytea[]
) AS r (webhook, hour, delivered, failed, dropped, attempts, succeeded, total_ms, latency)
WHERE h.webhook = r.webhook AND h.hour = r.hour
