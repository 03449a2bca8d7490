SELECT d.seq
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (first, last, event),
     LATERAL (SELECT seq FROM delivery WHERE seq BETWEEN r.first AND r.last AND event = r.event OFFSET 0) AS d
