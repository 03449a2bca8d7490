UPDATE command_turn SET runs = 1, until = now_ms() + ?3
WHERE command = ?1 AND ticket = ?2 AND NOT EXISTS (
    SELECT 1 FROM command_turn AS other
    WHERE other.command = ?1 AND other.ticket <> ?2 AND (other.runs = 1 OR other.ticket < ?2)
)
