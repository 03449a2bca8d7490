SELECT organization FROM project WHERE seq = ?1
