-- Project 0 stands for anything.
INSERT INTO change (generation, project, at) VALUES (?1, ?2, now_ms())
