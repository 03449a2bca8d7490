SELECT p.webhooks FROM organization AS o
JOIN plan AS p ON p.name = coalesce(o.plan, (SELECT name FROM plan WHERE is_default = 1))
WHERE o.seq = ?1
