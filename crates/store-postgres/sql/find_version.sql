-- Held until the commit, so that what is appended was decided by what holds then.
SELECT p.version + o.version + i.version
FROM project AS p JOIN organization AS o ON o.seq = p.organization JOIN instance AS i ON i.id = 0
WHERE p.seq = ?1
FOR SHARE OF p, o, i
