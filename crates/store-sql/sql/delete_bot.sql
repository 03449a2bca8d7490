DELETE FROM bot WHERE project = ?1
