INSERT INTO iteration (organization, month, used, reported) VALUES (?1, ?2, 0, 1)
ON CONFLICT (organization, month) DO UPDATE SET reported = 1
