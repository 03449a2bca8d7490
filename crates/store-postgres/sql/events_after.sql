SELECT seq, tail, type, custom_id, scopes, content_type, label, CASE WHEN ?5 <> 0 THEN payload ELSE ''::bytea END,
       expunged_at IS NOT NULL
FROM event
WHERE project = ?1 AND seq > ?2 AND seq < ?3
ORDER BY seq LIMIT ?4
