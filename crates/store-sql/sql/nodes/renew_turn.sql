UPDATE command_turn SET until = now_ms() + ?3 WHERE command = ?1 AND ticket = ?2
