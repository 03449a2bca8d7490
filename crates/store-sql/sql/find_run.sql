SELECT r.seq, r.tail, p.seq, p.tail, r.command, r.user_id, r.parent_seq, r.parent_tail, r.ended, r.answer,
       r.duration_us, r.memory_bytes, r.at, r.input, r.messages, r.console, r.delivery_seq, r.delivery_tail, r.effects
FROM run AS r JOIN project AS p ON p.seq = r.project
WHERE r.seq = ?1 AND r.tail = ?2 AND r.project = ?3
