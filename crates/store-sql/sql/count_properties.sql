SELECT count FROM property_count WHERE project = ?1
