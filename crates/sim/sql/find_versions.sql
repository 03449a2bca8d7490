SELECT p.seq, p.version + o.version + i.version
FROM project AS p JOIN organization AS o ON o.seq = p.organization JOIN instance AS i ON i.id = 0
WHERE p.seq IN (SELECT value FROM json_each(?1))
