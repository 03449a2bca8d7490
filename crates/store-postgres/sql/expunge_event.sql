UPDATE event SET payload = ''::bytea, expunged_at = coalesce(expunged_at, ?2) WHERE seq = ?1
