SELECT delivery FROM replayed_delivery WHERE event = ?1 ORDER BY delivery LIMIT ?2
