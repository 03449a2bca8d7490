DELETE FROM run_task WHERE project = ?1 AND user_id IS NOT DISTINCT FROM ?2 AND is_put_off = 1 AND (?3 IS NULL OR label = ?3)
