INSERT INTO project (seq, tail, organization, name, preset, profile)
SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE EXISTS (SELECT 1 FROM organization WHERE seq = ?3 AND deleted_at IS NULL)
