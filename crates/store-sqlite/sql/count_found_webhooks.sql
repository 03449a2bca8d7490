-- As search_webhooks has it.
SELECT count(*) FROM (
    SELECT 1 FROM webhook AS w LEFT JOIN webhook_state AS s ON s.webhook = w.seq
    WHERE w.project = ?1 AND w.deleted_at IS NULL
      AND (?3 IS NULL OR w.status = ?3)
      AND (?4 = 0 OR (w.status <> 2 AND s.failure_count > 0))
      AND (?5 IS NULL OR w.seq = ?6 OR instr(lower(w.settings ->> '$.name'), ?5) > 0 OR instr(lower(w.settings ->> '$.url'), ?5) > 0
           OR EXISTS (SELECT 1 FROM json_each(w.settings, '$.events') WHERE instr(lower(value), ?5) > 0))
    LIMIT ?2
)
