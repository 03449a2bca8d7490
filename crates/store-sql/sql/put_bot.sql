INSERT INTO bot (project, bot_id, sealed, redirect_hosts, updated_at)
SELECT ?1, ?3, ?4, ?5, ?6
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?1 AND tail = ?2 AND deleted_at IS NULL AND hidden = 0)
ON CONFLICT (project) DO UPDATE SET
    bot_id = excluded.bot_id,
    sealed = excluded.sealed,
    redirect_hosts = excluded.redirect_hosts,
    updated_at = excluded.updated_at
