DELETE FROM invite WHERE organization = ?1 AND email IS ?2
