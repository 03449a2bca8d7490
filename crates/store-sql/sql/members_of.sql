SELECT account FROM member WHERE organization = ?1
