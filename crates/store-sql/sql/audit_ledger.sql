SELECT CAST((SELECT coalesce(sum(born), 0) FROM ledger) AS BIGINT), s.delivered, s.failed, s.dropped, s.cancelled,
       (SELECT count(*) FROM queue)
FROM (
    SELECT CAST(coalesce(sum(delivered), 0) AS BIGINT) AS delivered, CAST(coalesce(sum(failed), 0) AS BIGINT) AS failed,
           CAST(coalesce(sum(dropped), 0) AS BIGINT) AS dropped, CAST(coalesce(sum(cancelled), 0) AS BIGINT) AS cancelled
    FROM webhook_state
) AS s
