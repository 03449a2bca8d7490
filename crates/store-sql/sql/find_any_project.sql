SELECT p.seq, p.tail, o.seq, o.tail, p.name, p.preset, p.profile, p.hook_key_version, p.former_hook_keys
FROM project AS p JOIN organization AS o ON o.seq = p.organization
WHERE p.seq = ?1 AND p.tail = ?2 AND p.deleted_at IS NULL
