SELECT count(*) FROM (SELECT 1 FROM member WHERE account = ?1 LIMIT ?2) AS counted
