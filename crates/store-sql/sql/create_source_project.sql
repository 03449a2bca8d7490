INSERT INTO project (seq, tail, organization, name, hidden)
SELECT ?1, ?2, organization, '', 1 FROM project WHERE seq = ?3
