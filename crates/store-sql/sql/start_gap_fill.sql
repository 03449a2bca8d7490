INSERT INTO gap_fill (source, active, mark) VALUES (?1, 1, ?2)
ON CONFLICT (source) DO UPDATE SET active = 1
