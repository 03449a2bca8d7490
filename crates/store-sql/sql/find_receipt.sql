SELECT e.seq, e.tail, e.type, e.custom_id, e.scopes, e.content_type, e.label, e.payload,
       s.seq, s.tail, r.provider_id, r.type, r.address, r.headers, a.actions, r.via
FROM receipt AS r JOIN event AS e ON e.seq = r.seq JOIN source AS s ON s.seq = r.source
JOIN source_actions AS a ON a.source = r.source AND a.revision = r.revision
WHERE r.seq = ?1 AND e.tail = ?2 AND r.project = ?3
