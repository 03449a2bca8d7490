SELECT p.iterations, p.command_timeout_ms, coalesce(i.used, 0), coalesce(i.reported, 0)
FROM organization AS o
LEFT JOIN plan AS p ON p.name = coalesce(o.plan, (SELECT name FROM plan WHERE is_default = 1))
LEFT JOIN iteration AS i ON i.organization = o.seq AND i.month = ?2
WHERE o.seq = ?1
