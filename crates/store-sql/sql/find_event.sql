-- ?2 and ?3 are what ?4 spells, if it spells an id that was generated; then no event was given it.
SELECT seq, tail, type, custom_id, scopes, content_type, label, payload, schema_version
FROM event
WHERE project = ?1 AND seq = coalesce((SELECT c.event FROM custom_id AS c WHERE c.project = ?1 AND c.id = ?4), ?2)
  AND (custom_id = ?4 OR (custom_id IS NULL AND tail = ?3))
