SELECT p.seq, p.tail, o.seq, o.tail, p.name, p.preset, p.profile, p.hook_key_version, p.former_hook_keys
FROM project AS p JOIN organization AS o ON o.seq = p.organization
WHERE p.organization = ?1 AND p.seq < ?2 AND p.deleted_at IS NULL AND p.hidden = 0
ORDER BY p.seq DESC LIMIT ?3
