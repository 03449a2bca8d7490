DELETE FROM event_type_schema WHERE organization = ?1 AND name = ?2 AND (?3 IS NULL OR (retired = 1 AND version <= ?3))
