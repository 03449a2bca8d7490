INSERT INTO property_count (project, count) VALUES (?1, ?2)
ON CONFLICT (project) DO UPDATE SET count = count + excluded.count
