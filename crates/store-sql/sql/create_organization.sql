INSERT INTO organization (seq, tail, name, default_project, plan) VALUES (?1, ?2, ?3, ?4, ?5)
