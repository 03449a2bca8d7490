DELETE FROM record_change WHERE (project, kind, key, version) IN (
    SELECT project, kind, key, version FROM record_change WHERE project = ?1 LIMIT ?2
)
