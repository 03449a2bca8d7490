DELETE FROM property WHERE project = ?1 AND owner = ?2 AND name = ?3
