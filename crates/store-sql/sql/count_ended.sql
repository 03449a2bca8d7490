INSERT INTO webhook_state (webhook, failure_count, delivered, failed, dropped, cancelled)
VALUES (?1, 0, ?2, ?3, ?4, ?5)
ON CONFLICT (webhook) DO UPDATE SET
    delivered = webhook_state.delivered + excluded.delivered, failed = webhook_state.failed + excluded.failed,
    dropped = webhook_state.dropped + excluded.dropped, cancelled = webhook_state.cancelled + excluded.cancelled
