UPDATE api_key SET revoked_at = ?2 WHERE project = ?1 AND revoked_at IS NULL
