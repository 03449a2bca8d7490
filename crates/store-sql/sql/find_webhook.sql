SELECT w.seq, w.tail, w.status, w.disabled_reason, w.settings, w.sealed, w.revision, w.updated_at,
       s.failure_count, s.failing_since, s.last_event_type, s.last_triggered_at
FROM webhook AS w LEFT JOIN webhook_state AS s ON s.webhook = w.seq
WHERE w.seq = ?1 AND w.tail = ?2 AND w.project = ?3 AND w.deleted_at IS NULL
