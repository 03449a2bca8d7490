DELETE FROM invite WHERE organization = ?1
