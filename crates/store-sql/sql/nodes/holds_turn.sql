SELECT 1 FROM command_turn WHERE command = ?1 AND ticket = ?2 AND runs = 1
