UPDATE leader SET node = ?1, until = now_ms() + ?2 WHERE node IS NULL OR node = ?1 OR until < now_ms() RETURNING id
