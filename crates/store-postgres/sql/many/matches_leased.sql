SELECT q.seq
FROM unnest(?1::bigint[], ?2::bigint[], ?3::text[]) AS r (seq, tried, event_type),
     LATERAL (
         SELECT seq FROM queue
         WHERE seq = r.seq AND due_at IS NULL AND (r.tried IS NULL OR (attempts > 0) = (r.tried <> 0))
           AND (r.event_type IS NULL OR (SELECT type FROM event WHERE event.seq = queue.event) = r.event_type)
         OFFSET 0
     ) AS q
