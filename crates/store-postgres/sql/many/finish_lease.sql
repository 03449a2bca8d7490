DELETE FROM queue AS q USING unnest(?1::bigint[], ?2::bigint[]) AS r (seq, epoch)
WHERE q.seq = r.seq AND q.epoch = r.epoch AND q.due_at IS NULL
RETURNING r.seq, r.epoch
