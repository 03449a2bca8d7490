SELECT seq, deleted_at IS NOT NULL FROM webhook WHERE seq IN (SELECT value FROM json_each(?1))
