-- Takes the smallest number that nobody has. Somebody may take it at the same moment: then there is no row.
WITH RECURSIVE places (number) AS (
    SELECT CAST(0 AS BIGINT) UNION ALL SELECT places.number + 1 FROM places WHERE places.number + 1 < ?5
)
INSERT INTO node (id, number, name, version, started_at, until, heard)
SELECT ?1, free.number, ?2, ?3, now_ms(), now_ms() + ?4, changes.generation
FROM changes,
     (SELECT places.number FROM places
      WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.number = places.number)
      ORDER BY places.number LIMIT 1) AS free
WHERE changes.id = 0
ON CONFLICT DO NOTHING
RETURNING number, heard, started_at
