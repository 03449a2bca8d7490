DELETE FROM command_turn WHERE node = ?1
