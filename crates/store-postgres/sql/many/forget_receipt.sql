DELETE FROM receipt WHERE seq = ANY(?1::bigint[])
