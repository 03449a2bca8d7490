UPDATE project SET version = version + 1 WHERE seq = ?1
