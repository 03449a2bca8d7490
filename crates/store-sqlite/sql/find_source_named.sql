SELECT s.seq, s.tail, p.seq, p.tail, s.name, s.kind, s.disabled, s.settings, s.sealed, s.revision, s.updated_at,
       s.rejected, s.duplicates
FROM source AS s JOIN project AS p ON p.seq = s.project
WHERE s.project = ?1 AND s.name = ?2 AND s.deleted_at IS NULL
