-- In the order of their keys, as everybody does it who holds several of them.
WITH r AS (
    SELECT * FROM unnest(
        ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::text[], ?5::bigint[], ?6::bigint[], ?7::bigint[], ?8::bigint[],
        ?9::bigint[], ?10::bigint[]
    ) AS r (
        webhook, failure_count, failing_since, last_event_type, last_triggered_at, succeeded, delivered, failed, dropped,
        cancelled
    )
), held AS (
    SELECT s.webhook FROM webhook_state AS s JOIN r ON r.webhook = s.webhook ORDER BY s.webhook FOR UPDATE OF s
), changed AS (
    UPDATE webhook_state AS s
    SET failure_count = CASE WHEN r.succeeded <> 0 THEN 0 ELSE s.failure_count END + r.failure_count,
        failing_since = CASE WHEN r.succeeded <> 0 THEN r.failing_since ELSE coalesce(s.failing_since, r.failing_since) END,
        last_event_type = CASE WHEN s.last_triggered_at > r.last_triggered_at THEN s.last_event_type ELSE r.last_event_type END,
        last_triggered_at = greatest(s.last_triggered_at, r.last_triggered_at),
        delivered = s.delivered + r.delivered, failed = s.failed + r.failed,
        dropped = s.dropped + r.dropped, cancelled = s.cancelled + r.cancelled
    FROM r WHERE s.webhook = r.webhook AND s.webhook IN (SELECT webhook FROM held)
    RETURNING s.webhook
)
INSERT INTO webhook_state AS s (
    webhook, failure_count, failing_since, last_event_type, last_triggered_at, delivered, failed, dropped, cancelled
)
SELECT webhook, failure_count, failing_since, last_event_type, last_triggered_at, delivered, failed, dropped, cancelled
FROM r WHERE webhook NOT IN (SELECT webhook FROM changed)
ORDER BY webhook
-- Somebody else has made the row since it was looked for.
ON CONFLICT (webhook) DO UPDATE SET
    failure_count = CASE
        WHEN (SELECT r.succeeded FROM r WHERE r.webhook = excluded.webhook) <> 0 THEN 0 ELSE s.failure_count
    END + excluded.failure_count,
    failing_since = CASE
        WHEN (SELECT r.succeeded FROM r WHERE r.webhook = excluded.webhook) <> 0 THEN excluded.failing_since
        ELSE coalesce(s.failing_since, excluded.failing_since)
    END,
    last_event_type = CASE
        WHEN s.last_triggered_at > excluded.last_triggered_at THEN s.last_event_type ELSE excluded.last_event_type
    END,
    last_triggered_at = greatest(s.last_triggered_at, excluded.last_triggered_at),
    delivered = s.delivered + excluded.delivered, failed = s.failed + excluded.failed,
    dropped = s.dropped + excluded.dropped, cancelled = s.cancelled + excluded.cancelled
