SELECT EXISTS (SELECT 1 FROM account WHERE operator = 1 AND seq <> ?1)
