INSERT INTO webhook_hour (webhook, hour, delivered, failed, dropped, attempts, succeeded, total_ms, latency)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (webhook, hour) DO UPDATE SET
    delivered = excluded.delivered, failed = excluded.failed, dropped = excluded.dropped,
    attempts = excluded.attempts, succeeded = excluded.succeeded, total_ms = excluded.total_ms,
    latency = excluded.latency
