-- The last piece that is here.
UPDATE tidings_migration SET carried = $1, rows = rows + $2
