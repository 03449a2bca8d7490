INSERT INTO command_turn (command, ticket, node, runs, until)
VALUES (?1, ?2, current_setting('tidings.node')::bigint, 0, now_ms() + ?3)
