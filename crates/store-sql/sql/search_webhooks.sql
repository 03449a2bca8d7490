-- ?2: a status. ?3: whether those that fail are wanted alone.
SELECT w.seq, w.tail, w.status, w.disabled_reason, w.settings, w.sealed, w.revision, w.updated_at,
       s.failure_count, s.failing_since, s.last_event_type, s.last_triggered_at
FROM webhook AS w LEFT JOIN webhook_state AS s ON s.webhook = w.seq
WHERE w.project = ?1 AND w.deleted_at IS NULL
  AND (?2 IS NULL OR w.status = ?2)
  AND (?3 = 0 OR (w.status <> 2 AND s.failure_count > 0))
ORDER BY w.seq DESC
