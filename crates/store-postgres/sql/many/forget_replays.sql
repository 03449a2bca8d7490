DELETE FROM delivery
WHERE seq = ANY(ARRAY(SELECT delivery FROM replayed_delivery WHERE event = ANY(?1::bigint[])))
