DELETE FROM run_task WHERE seq = ?1 AND tail = ?2
