INSERT INTO webhook_state (
    webhook, failure_count, failing_since, last_event_type, last_triggered_at, delivered, failed, dropped, cancelled
)
VALUES (?1, ?2, ?3, ?4, ?5, ?7, ?8, ?9, ?10)
ON CONFLICT (webhook) DO UPDATE SET
    failure_count = CASE WHEN ?6 THEN 0 ELSE failure_count END + excluded.failure_count,
    failing_since = CASE WHEN ?6 THEN excluded.failing_since ELSE coalesce(failing_since, excluded.failing_since) END,
    last_event_type = excluded.last_event_type,
    last_triggered_at = excluded.last_triggered_at,
    delivered = delivered + excluded.delivered, failed = failed + excluded.failed,
    dropped = dropped + excluded.dropped, cancelled = cancelled + excluded.cancelled
