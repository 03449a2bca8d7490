-- ?4: a status. ?5: whether those that fail are wanted alone. ?6: a text in lower case, ?7: a webhook's own number.
SELECT w.seq, w.tail, w.status, w.disabled_reason, w.settings, w.sealed, w.revision, w.updated_at,
       s.failure_count, s.failing_since, s.last_event_type, s.last_triggered_at
FROM webhook AS w LEFT JOIN webhook_state AS s ON s.webhook = w.seq
WHERE w.project = ?1 AND w.seq < ?2 AND w.deleted_at IS NULL
  AND (?4 IS NULL OR w.status = ?4)
  AND (?5 = 0 OR (w.status <> 2 AND s.failure_count > 0))
  AND (?6 IS NULL OR w.seq = ?7 OR instr(lower(w.settings ->> '$.name'), ?6) > 0 OR instr(lower(w.settings ->> '$.url'), ?6) > 0
       OR EXISTS (SELECT 1 FROM json_each(w.settings, '$.events') WHERE instr(lower(value), ?6) > 0))
ORDER BY w.seq DESC LIMIT ?3
