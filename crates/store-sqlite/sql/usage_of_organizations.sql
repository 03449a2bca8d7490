-- ?1: organizations, as a list of numbers; ?2: a month.
SELECT o.seq, o.tail,
       (SELECT count(*) FROM project AS j JOIN webhook AS w ON w.project = j.seq
        WHERE j.organization = o.seq AND j.deleted_at IS NULL AND j.hidden = 0 AND w.deleted_at IS NULL),
       p.webhooks, p.iterations, p.command_timeout_ms, coalesce(i.used, 0),
       b.status, b.plan, b.in_force, b.review_at, b.updated_at
FROM json_each(?1) AS wanted
JOIN organization AS o ON o.seq = wanted.value
LEFT JOIN plan AS p ON p.name = coalesce(o.plan, (SELECT name FROM plan WHERE is_default = 1))
LEFT JOIN iteration AS i ON i.organization = o.seq AND i.month = ?2
LEFT JOIN billing AS b ON b.organization = o.seq
