DELETE FROM event_type WHERE organization = ?1 AND name = ?2
