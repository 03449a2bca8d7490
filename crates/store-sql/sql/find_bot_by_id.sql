SELECT p.seq, p.tail, b.bot_id, b.sealed, b.redirect_hosts, b.updated_at
FROM bot AS b JOIN project AS p ON p.seq = b.project
WHERE b.bot_id = ?1 AND p.deleted_at IS NULL
