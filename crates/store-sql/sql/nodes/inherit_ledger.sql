-- What a process had counted is counted for all once it is gone.
INSERT INTO ledger (id, born) SELECT 0, gone.born FROM ledger AS gone WHERE gone.id = ?1
ON CONFLICT (id) DO UPDATE SET born = ledger.born + excluded.born
