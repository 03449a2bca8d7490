SELECT name, group_name, description, example, archived, organization FROM event_type AS e
WHERE organization = ?1
   OR (organization = 0 AND NOT EXISTS (SELECT 1 FROM event_type AS own WHERE own.organization = ?1 AND own.name = e.name))
ORDER BY name
