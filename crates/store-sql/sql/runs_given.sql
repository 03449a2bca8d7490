-- Runs for deliveries of an event.
SELECT seq, input FROM run
WHERE delivery_seq IS NOT NULL
  AND delivery_seq IN (
      SELECT seq FROM delivery WHERE seq BETWEEN ?1 + 1 AND ?2 AND event = ?1
      UNION ALL SELECT seq FROM queue WHERE seq BETWEEN ?1 + 1 AND ?2 AND event = ?1
      UNION ALL SELECT delivery FROM replayed_delivery WHERE event = ?1
  )
