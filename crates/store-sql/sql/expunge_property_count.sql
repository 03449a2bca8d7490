DELETE FROM property_count WHERE project IN (SELECT project FROM property_count WHERE project = ?1 LIMIT ?2)
