DELETE FROM invite WHERE organization = ?1 AND email IS NOT DISTINCT FROM ?2
