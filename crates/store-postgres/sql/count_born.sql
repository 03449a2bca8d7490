-- A row for each process: one row for all would let only one of them append at a time.
INSERT INTO ledger (id, born) VALUES (current_setting('tidings.node')::bigint, ?1)
ON CONFLICT (id) DO UPDATE SET born = ledger.born + excluded.born
