DELETE FROM delivery WHERE seq IN (SELECT delivery FROM replayed_delivery WHERE event = ?1)
