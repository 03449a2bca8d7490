UPDATE attempt SET request_body = NULL
WHERE request_body IS NOT NULL AND (delivery BETWEEN ?1 + 1 AND ?1 + ?2 OR delivery IN (SELECT delivery FROM replayed_delivery WHERE event = ?1))
