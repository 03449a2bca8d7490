SELECT ?3, (SELECT count(*) FROM replayed_delivery WHERE event = ?3),
       (SELECT count(*) FROM delivery WHERE seq BETWEEN ?1 AND ?2 AND event = ?3 AND state = 2)
     + (SELECT count(*) FROM replayed_delivery AS r JOIN delivery AS d ON d.seq = r.delivery
        WHERE r.event = ?3 AND d.state = 2)
