SELECT count(*) FROM (
    SELECT 1 FROM receipt WHERE project = ?1 AND (?2 IS NULL OR source = ?2) AND (?3 IS NULL OR type = ?3) LIMIT ?4
) AS counted
