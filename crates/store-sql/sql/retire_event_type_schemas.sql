UPDATE event_type_schema SET retired = 1 WHERE organization = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)
