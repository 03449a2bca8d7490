-- As search_webhooks has it.
SELECT count(*) FROM (
    SELECT 1 FROM webhook AS w LEFT JOIN webhook_state AS s ON s.webhook = w.seq
    WHERE w.project = ?1 AND w.deleted_at IS NULL
      AND (?3 IS NULL OR w.status = ?3)
      AND (?4 = 0 OR (w.status <> 2 AND s.failure_count > 0))
      AND (?5 IS NULL OR w.seq = ?6 OR strpos(lower((w.settings::jsonb ->> 'name') COLLATE "C"), ?5) > 0 OR strpos(lower((w.settings::jsonb ->> 'url') COLLATE "C"), ?5) > 0
           OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(w.settings::jsonb -> 'events') AS one (value)
                  WHERE strpos(lower(one.value COLLATE "C"), ?5) > 0))
    LIMIT ?2
) AS found
