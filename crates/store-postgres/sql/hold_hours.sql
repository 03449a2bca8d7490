-- Makes the rows that there are none of and holds them until the commit: two processes may add to the same hour. In the
-- order of their keys, as everybody holds them. ?1: webhooks and hours, in pairs.
INSERT INTO webhook_hour (webhook, hour, delivered, failed, dropped, attempts, succeeded, total_ms, latency)
SELECT (value->>0)::bigint, (value->>1)::bigint, 0, 0, 0, 0, 0, 0, ''::bytea
FROM jsonb_array_elements(?1::jsonb) AS wanted (value)
ORDER BY 1, 2
ON CONFLICT (webhook, hour) DO UPDATE SET hour = excluded.hour
RETURNING delivered, failed, dropped, attempts, succeeded, total_ms, latency, webhook, hour
