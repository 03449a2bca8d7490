SELECT s.seq, s.tail, p.seq, p.tail, s.name, s.kind, s.disabled, s.settings, s.sealed, s.revision, s.updated_at,
       s.rejected, s.duplicates, g.mark, g.last_run_at, g.last_error, g.taken_in, g.left_out
FROM source AS s JOIN project AS p ON p.seq = s.project LEFT JOIN gap_fill AS g ON g.source = s.seq
WHERE s.project = ?1 AND s.name = ?2 AND s.deleted_at IS NULL
