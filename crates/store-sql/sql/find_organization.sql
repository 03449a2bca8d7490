SELECT o.seq, o.tail, o.name, p.seq, p.tail, o.plan, o.schema_mode
FROM organization AS o JOIN project AS p ON p.seq = o.default_project
WHERE o.seq = ?1 AND o.tail = ?2 AND o.deleted_at IS NULL
