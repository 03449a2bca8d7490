INSERT INTO news (node, project, at, news)
SELECT node, ?2, now_ms(), ?3 FROM listener WHERE project = ?2 AND node <> ?1 AND until >= now_ms()
