DELETE FROM member WHERE organization = ?1
