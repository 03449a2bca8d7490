SELECT name, group_name, description, example, archived, organization FROM event_type
WHERE organization = ?1 AND name = ?2
