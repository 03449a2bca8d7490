SELECT p.relname::text, c.relname::text, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_class AS p ON p.oid = i.inhparent
WHERE i.inhparent IN ('event'::regclass, 'receipt'::regclass, 'delivery'::regclass, 'attempt'::regclass)
