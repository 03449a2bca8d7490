DELETE FROM remembered WHERE name = ?1
