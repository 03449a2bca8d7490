INSERT INTO source_actions (source, revision, actions) VALUES (?1, ?2, ?3)
