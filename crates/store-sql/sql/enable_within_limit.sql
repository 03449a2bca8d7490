UPDATE webhook
SET status = CASE disabled_reason WHEN 'plan_limit_paused' THEN 1 ELSE 0 END, disabled_reason = NULL,
    revision = revision + 1, updated_at = ?2
WHERE seq = ?1
