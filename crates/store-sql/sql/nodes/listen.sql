-- Others tell this process of a project for so long.
INSERT INTO listener (node, project, until) VALUES (?1, ?2, now_ms() + ?3)
ON CONFLICT (project, node) DO UPDATE SET until = excluded.until
