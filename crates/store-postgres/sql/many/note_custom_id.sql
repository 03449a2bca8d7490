INSERT INTO custom_id (project, id, event) SELECT * FROM unnest(?1::bigint[], ?2::text[], ?3::bigint[])
