DELETE FROM property WHERE (project, owner, name) IN (
    SELECT project, owner, name FROM property WHERE project = ?1 LIMIT ?2
)
