INSERT INTO run_task (
    seq, tail, project, user_id, parent_seq, parent_tail, due_at, label, is_put_off, is_request, schedule_of, work
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
