SELECT settings, logo IS NOT NULL, updated_at FROM portal WHERE project = ?1
