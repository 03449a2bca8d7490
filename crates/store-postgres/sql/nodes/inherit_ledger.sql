WITH gone AS (DELETE FROM ledger WHERE id = ANY($1::bigint[]) RETURNING born)
INSERT INTO ledger (id, born) SELECT 0, sum(born) FROM gone HAVING count(*) > 0
ON CONFLICT (id) DO UPDATE SET born = ledger.born + excluded.born
