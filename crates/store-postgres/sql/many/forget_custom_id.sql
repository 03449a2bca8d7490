DELETE FROM custom_id AS c USING unnest(?1::bigint[], ?2::text[], ?3::bigint[]) AS r (project, id, event)
WHERE c.project = r.project AND c.id = r.id AND c.event = r.event
