DELETE FROM run_task WHERE seq IN (SELECT seq FROM run_task WHERE project = ?1 LIMIT ?2)
