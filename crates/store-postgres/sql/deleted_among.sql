-- Held until the commit, so that none of them is deleted before what was decided is written.
SELECT seq, deleted_at IS NOT NULL FROM webhook
WHERE seq IN (SELECT value::bigint FROM jsonb_array_elements_text(?1::jsonb) AS wanted (value))
ORDER BY seq FOR SHARE
