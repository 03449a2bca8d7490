-- Of the first ?1 webhooks that have something waiting those that have most, and those in ?4. Each lane is counted up to
-- ?2, by index alone; see list_backlog for the walk.
WITH RECURSIVE lane (webhook, number) AS (
    SELECT CAST(0 AS BIGINT), CAST(0 AS BIGINT)
    UNION ALL
    SELECT (SELECT min(q.webhook) FROM queue AS q WHERE q.webhook > lane.webhook AND q.due_at IS NOT NULL),
           lane.number + 1
    FROM lane WHERE lane.webhook IS NOT NULL AND lane.number < ?1
),
counted (webhook, waiting) AS (
    SELECT lane.webhook,
           (SELECT count(*) FROM (
               SELECT 1 FROM queue AS q WHERE q.webhook = lane.webhook AND q.due_at IS NOT NULL LIMIT ?2) AS found)
    FROM lane JOIN webhook AS w ON w.seq = lane.webhook WHERE w.deleted_at IS NULL
),
wanted (webhook) AS (
    SELECT webhook FROM (SELECT webhook FROM counted ORDER BY waiting DESC, webhook LIMIT ?3) AS most
    UNION
    SELECT value::bigint FROM jsonb_array_elements_text(?4::jsonb) AS named (value)
)
SELECT w.seq, w.tail, w.status, w.settings, p.seq, p.tail, s.seq, s.tail, s.name, o.seq, o.tail,
       (SELECT count(*) FROM (
           SELECT 1 FROM queue AS q WHERE q.webhook = w.seq AND q.due_at IS NOT NULL LIMIT ?2) AS found),
       (SELECT min(q.due_at) FROM queue AS q WHERE q.webhook = w.seq AND q.due_at IS NOT NULL)
FROM wanted
JOIN webhook AS w ON w.seq = wanted.webhook
JOIN project AS p ON p.seq = w.project
LEFT JOIN source AS s ON s.seq = p.seq
LEFT JOIN project AS o ON o.seq = s.project
WHERE w.deleted_at IS NULL
