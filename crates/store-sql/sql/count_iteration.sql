INSERT INTO iteration (organization, month, used, reported) VALUES (?1, ?2, 1, 0)
ON CONFLICT (organization, month) DO UPDATE SET used = iteration.used + 1
