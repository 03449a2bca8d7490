UPDATE webhook
SET disabled_reason = CASE status WHEN 1 THEN 'plan_limit_paused' ELSE 'plan_limit' END, status = 2,
    revision = revision + 1, updated_at = ?2
WHERE seq = ?1
