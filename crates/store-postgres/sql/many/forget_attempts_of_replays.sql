DELETE FROM attempt
WHERE delivery = ANY(ARRAY(SELECT delivery FROM replayed_delivery WHERE event = ANY(?1::bigint[])))
