-- ?1: an event, ?2: the last of the deliveries that it was born with.
UPDATE delivery SET request_body = NULL
WHERE request_body IS NOT NULL AND seq IN (
    SELECT seq FROM delivery WHERE seq BETWEEN ?1 + 1 AND ?2 AND event = ?1
    UNION ALL SELECT delivery FROM replayed_delivery WHERE event = ?1
)
