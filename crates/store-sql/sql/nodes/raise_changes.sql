-- One after another, so that whoever has heard of a change has heard of all before it.
UPDATE changes SET generation = generation + 1 RETURNING generation
