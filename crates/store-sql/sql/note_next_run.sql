UPDATE command SET next_run_at = ?2 WHERE seq = ?1
