UPDATE member SET role = ?3 WHERE organization = ?1 AND account = ?2
