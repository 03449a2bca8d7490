SELECT p.seq, p.tail, b.bot_id, b.sealed, b.redirect_hosts, b.updated_at
FROM bot AS b JOIN project AS p ON p.seq = b.project
WHERE b.project = ?1 AND p.tail = ?2 AND p.deleted_at IS NULL
