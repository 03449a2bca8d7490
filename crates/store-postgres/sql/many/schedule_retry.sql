UPDATE queue AS q
SET due_at = r.due_at, attempts = r.attempts, last_status = r.status, last_total_us = r.total_us, last_error = r.error
FROM unnest(
    ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::bigint[], ?6::bigint[], ?7::text[]
) AS r (seq, epoch, due_at, attempts, status, total_us, error)
WHERE q.seq = r.seq AND q.epoch = r.epoch AND q.due_at IS NULL
RETURNING r.seq, r.epoch
