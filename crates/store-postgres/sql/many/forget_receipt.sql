DELETE FROM receipt AS t USING unnest(?1::bigint[]) AS r (seq) WHERE t.seq = r.seq
