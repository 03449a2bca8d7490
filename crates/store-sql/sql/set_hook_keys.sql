UPDATE project SET hook_key_version = ?4, former_hook_keys = ?5
WHERE seq = ?1 AND tail = ?2 AND hook_key_version = ?3 AND deleted_at IS NULL AND hidden = 0
