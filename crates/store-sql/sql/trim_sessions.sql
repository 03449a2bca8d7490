-- All but the newest.
DELETE FROM session
WHERE seq IN (SELECT seq FROM session WHERE account = ?1 ORDER BY seq DESC LIMIT 9223372036854775807 OFFSET ?2)
