-- One after another, so that whoever has heard of a change has heard of all before it. Project 0 stands for anything.
WITH next AS (UPDATE changes SET generation = generation + 1 RETURNING generation)
INSERT INTO change (generation, project, at)
SELECT next.generation, one.project, now_ms() FROM next, unnest($1::bigint[]) AS one (project)
RETURNING generation
