UPDATE event SET payload = x'', expunged_at = coalesce(expunged_at, ?2) WHERE seq = ?1
