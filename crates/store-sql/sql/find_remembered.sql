SELECT value FROM remembered WHERE name = ?1
