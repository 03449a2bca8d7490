SELECT coalesce(after_runs, 0) FROM event WHERE seq = ?1
