SELECT change.generation, change.project, project.tail
FROM change LEFT JOIN project ON project.seq = change.project
WHERE change.generation > ?1 ORDER BY change.generation LIMIT ?2
