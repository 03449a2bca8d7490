-- An event's deliveries lie in as many milliseconds as they need: 1,024 in each, and 32,768 sequences from one to the
-- next (domain::ids). Two more than that are looked at, for the first one is not empty.
SELECT e.seq, e.fanout, e.project, e.custom_id,
       EXISTS (SELECT 1 FROM queue AS q WHERE q.seq > e.seq AND q.seq < e.seq + (e.fanout / 1024 + 2) * 32768 AND q.event = e.seq)
       OR EXISTS (SELECT 1 FROM replayed_delivery AS r JOIN queue AS q ON q.seq = r.delivery WHERE r.event = e.seq)
FROM event AS e
WHERE e.seq > ?1 AND e.seq < ?2
ORDER BY e.seq LIMIT ?3
