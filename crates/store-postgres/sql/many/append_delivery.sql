INSERT INTO queue (seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at, owner)
SELECT seq, tail, event, webhook, project, rendering, 1, 0, 0, due_at, current_setting('tidings.node')::bigint
FROM unnest(
    ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::bigint[], ?6::bigint[], ?7::bigint[]
) AS r (seq, tail, event, webhook, project, rendering, due_at)
