INSERT INTO tidings_migration (id) VALUES ($1)
