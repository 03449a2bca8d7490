UPDATE run_task SET due_at = due_at + ?1
