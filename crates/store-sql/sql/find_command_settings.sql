SELECT settings FROM command_settings WHERE project = ?1
