-- Whether somebody writes into this database with nobody beside: a restore, an import, or a migration that begins.
SELECT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE relation = 'node'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND mode = 'ShareRowExclusiveLock' AND granted
)
