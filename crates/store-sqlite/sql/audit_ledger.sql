SELECT l.born, s.delivered, s.failed, s.dropped, s.cancelled, (SELECT count(*) FROM queue)
FROM ledger AS l, (
    SELECT coalesce(sum(delivered), 0) AS delivered, coalesce(sum(failed), 0) AS failed,
           coalesce(sum(dropped), 0) AS dropped, coalesce(sum(cancelled), 0) AS cancelled
    FROM webhook_state
) AS s
