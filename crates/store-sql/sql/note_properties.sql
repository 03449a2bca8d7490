INSERT INTO property_count (project, count) VALUES (?1, ?2)
ON CONFLICT (project) DO UPDATE SET count = property_count.count + excluded.count
