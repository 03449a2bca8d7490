UPDATE session SET seen_at = ?3 WHERE seq = ?1 AND tail = ?2 AND seen_at < ?3
