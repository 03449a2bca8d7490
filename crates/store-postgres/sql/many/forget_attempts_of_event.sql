-- By arrays: whatever is thought of how many there are, each is found by its key.
DELETE FROM attempt WHERE delivery = ANY(ARRAY(
    SELECT d.seq
    FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[]) AS r (event, first, last),
         LATERAL (SELECT seq FROM delivery WHERE seq BETWEEN r.first AND r.last AND event = r.event OFFSET 0) AS d
))
