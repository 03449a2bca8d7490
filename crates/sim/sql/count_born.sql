INSERT INTO ledger (id, born) SELECT here.node, ?1 FROM here WHERE true
ON CONFLICT (id) DO UPDATE SET born = ledger.born + excluded.born
