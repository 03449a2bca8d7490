SELECT r.seq, r.tail, p.seq, p.tail, r.command, r.user_id, r.parent_seq, r.parent_tail, r.ended, NULL,
       r.duration_us, r.memory_bytes, r.at, NULL, NULL, NULL, r.delivery_seq, r.delivery_tail, NULL, r.place
FROM run AS r JOIN project AS p ON p.seq = r.project
WHERE r.project = ?1 AND r.place < ?2
ORDER BY r.place DESC LIMIT ?3
