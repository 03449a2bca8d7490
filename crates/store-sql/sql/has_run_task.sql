SELECT 1 FROM run_task WHERE seq = ?1
