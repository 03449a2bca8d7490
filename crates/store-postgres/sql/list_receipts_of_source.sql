SELECT e.seq, e.tail, e.type, e.custom_id, e.scopes, e.content_type, e.label, ''::bytea,
       s.seq, s.tail, r.provider_id, r.type, r.address, r.headers, a.actions, r.via
FROM receipt AS r JOIN event AS e ON e.seq = r.seq JOIN source AS s ON s.seq = r.source
JOIN source_actions AS a ON a.source = r.source AND a.revision = r.revision
WHERE r.source = ?1 AND r.seq < ?2 AND (?3 IS NULL OR r.type = ?3)
ORDER BY r.seq DESC LIMIT ?4
