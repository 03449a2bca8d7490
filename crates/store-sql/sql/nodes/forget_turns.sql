-- Whoever wanted them has gone.
DELETE FROM command_turn WHERE command = ?1 AND until < now_ms()
