INSERT INTO webhook_state (webhook, failure_count, delivered, failed, dropped, cancelled)
VALUES (?1, 0, ?2, ?3, ?4, ?5)
ON CONFLICT (webhook) DO UPDATE SET
    delivered = delivered + excluded.delivered, failed = failed + excluded.failed,
    dropped = dropped + excluded.dropped, cancelled = cancelled + excluded.cancelled
