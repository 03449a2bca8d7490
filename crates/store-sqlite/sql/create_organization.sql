INSERT INTO organization (seq, tail, name, default_project) VALUES (?1, ?2, ?3, ?4)
