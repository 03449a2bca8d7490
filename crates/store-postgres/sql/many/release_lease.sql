UPDATE queue AS q
SET due_at = CASE WHEN q.attempts = 0 AND q.seq >> 15 < r.due_at THEN q.seq >> 15 ELSE r.due_at END
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (seq, epoch, due_at)
WHERE q.seq = r.seq AND q.epoch = r.epoch AND q.due_at IS NULL
RETURNING r.seq, r.epoch
