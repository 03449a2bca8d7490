SELECT (SELECT count(*) FROM delivery AS d WHERE d.seq > ?1 AND d.seq <= ?1 + ?2 AND d.state = 2)
     + (SELECT count(*) FROM replayed_delivery AS r JOIN delivery AS d ON d.seq = r.delivery
        WHERE r.event = ?1 AND d.state = 2)
