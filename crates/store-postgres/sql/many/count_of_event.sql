SELECT r.event, (SELECT count(*) FROM replayed_delivery WHERE event = r.event),
       (SELECT count(*) FROM delivery WHERE seq BETWEEN r.first AND r.last AND event = r.event AND state = 2)
     + (SELECT count(*) FROM replayed_delivery AS p JOIN delivery AS d ON d.seq = p.delivery
        WHERE p.event = r.event AND d.state = 2)
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (first, last, event)
