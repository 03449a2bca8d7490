UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE seq = ?1
