SELECT count(*) FROM run_task WHERE schedule_of = ?1
