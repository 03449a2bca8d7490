UPDATE ledger SET born = born + ?1 WHERE id = 1
