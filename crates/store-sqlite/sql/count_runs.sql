SELECT count(*) FROM (
    SELECT 1 FROM run WHERE project = ?1 AND (?2 IS NULL OR command = ?2) AND (?3 IS NULL OR status = ?3) LIMIT ?4
)
