-- ?4: whether the logo changes.
INSERT INTO portal (project, settings, logo, updated_at)
SELECT ?1, ?3, ?5, ?6
WHERE EXISTS (SELECT 1 FROM project WHERE seq = ?1 AND tail = ?2 AND deleted_at IS NULL AND hidden = 0)
ON CONFLICT (project) DO UPDATE SET
    settings = excluded.settings,
    logo = CASE WHEN ?4 <> 0 THEN excluded.logo ELSE portal.logo END,
    updated_at = excluded.updated_at
