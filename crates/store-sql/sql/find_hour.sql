SELECT delivered, failed, dropped, attempts, succeeded, total_ms, latency FROM webhook_hour WHERE webhook = ?1 AND hour = ?2
