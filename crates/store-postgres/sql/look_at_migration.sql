SELECT id, carried, rows FROM tidings_migration
