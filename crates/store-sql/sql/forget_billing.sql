DELETE FROM billing WHERE organization = ?1
