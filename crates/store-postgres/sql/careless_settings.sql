-- Settings by which something that was committed may be lost, as this connection has them: a role or a database may
-- have its own.
SELECT name, source, current_user::text, current_database()::text
FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
ORDER BY name
