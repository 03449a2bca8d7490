INSERT INTO webhook_hour (webhook, hour, delivered, failed, dropped, attempts, succeeded, total_ms, latency)
VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, x'')
ON CONFLICT (webhook, hour) DO UPDATE SET hour = excluded.hour
RETURNING delivered, failed, dropped, attempts, succeeded, total_ms, latency
