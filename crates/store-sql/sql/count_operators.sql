SELECT count(*) FROM (SELECT 1 FROM account WHERE operator = 1 LIMIT ?1) AS counted
