-- Runs for deliveries of an event.
SELECT seq, input FROM run
WHERE delivery_seq IS NOT NULL
  AND (delivery_seq BETWEEN ?1 + 1 AND ?1 + ?2 OR delivery_seq IN (SELECT delivery FROM replayed_delivery WHERE event = ?1))
