SELECT EXISTS (SELECT 1 FROM member WHERE organization = ?1 AND role = ?2 AND account <> ?3)
