SELECT seq, tail, type, custom_id, scopes, content_type, label, payload
FROM event
WHERE project = ?1 AND seq > ?2 AND seq < ?3 AND expunged_at IS NULL
ORDER BY seq LIMIT ?4
