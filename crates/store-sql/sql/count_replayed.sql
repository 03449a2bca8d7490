SELECT count(*) FROM replayed_delivery WHERE event = ?1
