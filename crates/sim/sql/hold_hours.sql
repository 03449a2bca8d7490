INSERT INTO webhook_hour (webhook, hour, delivered, failed, dropped, attempts, succeeded, total_ms, latency)
SELECT value->>0, value->>1, 0, 0, 0, 0, 0, 0, x'' FROM json_each(?1) WHERE true
ON CONFLICT (webhook, hour) DO UPDATE SET hour = excluded.hour
RETURNING delivered, failed, dropped, attempts, succeeded, total_ms, latency, webhook, hour
