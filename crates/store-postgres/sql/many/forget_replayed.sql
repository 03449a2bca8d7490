DELETE FROM replayed_delivery WHERE event = ANY(?1::bigint[])
