INSERT INTO command_turn (command, ticket, node, runs, until)
VALUES (?1, ?2, (SELECT node FROM here), 0, now_ms() + ?3)
