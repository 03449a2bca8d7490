DELETE FROM leftover WHERE project = ?1
