SELECT p.seq, p.tail FROM webhook AS w JOIN project AS p ON p.seq = w.project
WHERE w.seq = ?1 AND w.tail = ?2 AND w.deleted_at IS NULL AND p.hidden = 0
