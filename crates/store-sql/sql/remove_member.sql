DELETE FROM member WHERE organization = ?1 AND account = ?2
