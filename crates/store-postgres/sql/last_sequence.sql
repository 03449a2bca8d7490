SELECT greatest(
    coalesce((SELECT max(seq + fanout) FROM (SELECT seq, fanout FROM event ORDER BY seq DESC LIMIT 1) AS last), 0),
    coalesce((SELECT max(seq) FROM organization), 0),
    coalesce((SELECT max(seq) FROM project), 0),
    coalesce((SELECT max(seq) FROM api_key), 0),
    coalesce((SELECT max(seq) FROM webhook), 0),
    coalesce((SELECT max(seq) FROM queue), 0),
    coalesce((SELECT max(seq) FROM delivery), 0),
    coalesce((SELECT max(seq) FROM job), 0),
    coalesce((SELECT max(seq) FROM audit), 0),
    coalesce((SELECT max(seq) FROM command), 0),
    coalesce((SELECT max(seq) FROM run), 0),
    coalesce((SELECT max(seq) FROM run_task), 0),
    coalesce((SELECT max(seq) FROM account), 0),
    coalesce((SELECT max(seq) FROM invite), 0),
    coalesce((SELECT max(seq) FROM session), 0)
)
