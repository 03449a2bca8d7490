INSERT INTO webhook_state (
    webhook, failure_count, failing_since, last_event_type, last_triggered_at, delivered, failed, dropped, cancelled
)
VALUES (?1, ?2, ?3, ?4, ?5, ?7, ?8, ?9, ?10)
ON CONFLICT (webhook) DO UPDATE SET
    failure_count = CASE WHEN ?6 <> 0 THEN 0 ELSE webhook_state.failure_count END + excluded.failure_count,
    failing_since = CASE
        WHEN ?6 <> 0 THEN excluded.failing_since
        ELSE coalesce(webhook_state.failing_since, excluded.failing_since)
    END,
    last_event_type = CASE
        WHEN webhook_state.last_triggered_at > excluded.last_triggered_at THEN webhook_state.last_event_type
        ELSE excluded.last_event_type
    END,
    last_triggered_at = CASE
        WHEN webhook_state.last_triggered_at > excluded.last_triggered_at THEN webhook_state.last_triggered_at
        ELSE excluded.last_triggered_at
    END,
    delivered = webhook_state.delivered + excluded.delivered, failed = webhook_state.failed + excluded.failed,
    dropped = webhook_state.dropped + excluded.dropped, cancelled = webhook_state.cancelled + excluded.cancelled
