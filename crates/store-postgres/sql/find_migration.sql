SELECT to_regclass('tidings_migration') IS NOT NULL
