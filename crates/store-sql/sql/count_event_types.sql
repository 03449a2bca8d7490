SELECT count(*) FROM event_type WHERE organization = ?1
