DELETE FROM attempt WHERE delivery IN (SELECT delivery FROM replayed_delivery WHERE event = ?1)
