-- See find_version. In the order of their keys, as everybody holds them.
SELECT p.seq, p.version + o.version + i.version
FROM project AS p JOIN organization AS o ON o.seq = p.organization JOIN instance AS i ON i.id = 0
WHERE p.seq IN (SELECT value::bigint FROM jsonb_array_elements_text(?1::jsonb) AS wanted (value))
ORDER BY p.seq FOR SHARE OF p, o, i
