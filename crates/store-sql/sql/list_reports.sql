SELECT seq, type, data, created_at FROM report ORDER BY seq LIMIT ?1
