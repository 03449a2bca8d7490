-- Projects of which somebody else wants to be told.
SELECT DISTINCT p.seq, p.tail FROM listener AS l JOIN project AS p ON p.seq = l.project
WHERE l.node <> ?1 AND l.until >= now_ms()
