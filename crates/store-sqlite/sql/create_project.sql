INSERT INTO project (seq, tail, organization, name)
SELECT ?1, ?2, ?3, ?4
WHERE EXISTS (SELECT 1 FROM organization WHERE seq = ?3 AND deleted_at IS NULL)
