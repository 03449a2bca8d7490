-- One row in all, however many processes have counted.
SELECT 1, CAST(coalesce(sum(born), 0) AS BIGINT) FROM ledger
