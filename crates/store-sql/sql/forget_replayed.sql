DELETE FROM replayed_delivery WHERE event = ?1
