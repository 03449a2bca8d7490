INSERT INTO run (
    seq, tail, project, command, user_id, parent_seq, parent_tail, input, status, ended, answer, messages, console,
    duration_us, memory_bytes, at, delivery_seq, delivery_tail, place, effects
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
