INSERT INTO command_settings (project, settings)
SELECT seq, ?2 FROM project WHERE seq = ?1 AND deleted_at IS NULL
ON CONFLICT (project) DO UPDATE SET settings = excluded.settings
