SELECT seq, tail, seen_at, expires_at, address, user_agent FROM session
WHERE account = ?1 AND expires_at > ?2 AND seen_at > ?3
ORDER BY seq DESC
