UPDATE api_key SET revoked_at = ?2 WHERE organization = ?1 AND revoked_at IS NULL
