DELETE FROM command_settings WHERE project IN (SELECT project FROM command_settings WHERE project = ?1 LIMIT ?2)
