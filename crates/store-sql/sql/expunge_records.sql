DELETE FROM record WHERE (project, kind, key) IN (
    SELECT project, kind, key FROM record WHERE project = ?1 LIMIT ?2
)
