UPDATE delivery SET request_body = NULL
WHERE request_body IS NOT NULL
  AND ((seq BETWEEN ?1 + 1 AND ?2 AND event = ?1) OR seq IN (SELECT delivery FROM replayed_delivery WHERE event = ?1))
