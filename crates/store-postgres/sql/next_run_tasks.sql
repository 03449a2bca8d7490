SELECT t.seq, t.tail, p.seq, p.tail, t.user_id, t.parent_seq, t.parent_tail, t.due_at, t.label, t.is_put_off, t.work
FROM run_task AS t JOIN project AS p ON p.seq = t.project
WHERE t.is_request = ?3 AND p.deleted_at IS NULL AND t.project NOT IN (SELECT value::bigint FROM jsonb_array_elements_text(?2::jsonb))
ORDER BY t.due_at, t.seq LIMIT ?1
