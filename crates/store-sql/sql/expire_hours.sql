DELETE FROM webhook_hour
WHERE (webhook, hour) IN (SELECT webhook, hour FROM webhook_hour WHERE hour < ?1 ORDER BY hour LIMIT ?2)
