DELETE FROM custom_id
WHERE (project, id) IN (SELECT project, id FROM custom_id WHERE event < $1 ORDER BY event LIMIT $3)
