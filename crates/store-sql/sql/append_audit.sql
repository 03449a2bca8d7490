INSERT INTO audit (seq, tail, organization, project, actor, operator, action, subject, detail, address)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
