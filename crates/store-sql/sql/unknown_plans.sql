SELECT DISTINCT plan FROM organization AS o
WHERE o.plan IS NOT NULL AND o.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM plan WHERE name = o.plan)
ORDER BY plan
