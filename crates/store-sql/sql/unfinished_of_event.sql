SELECT seq, webhook, due_at FROM queue WHERE seq > ?1 AND seq <= ?2 AND event = ?1
UNION ALL
SELECT q.seq, q.webhook, q.due_at FROM replayed_delivery AS r JOIN queue AS q ON q.seq = r.delivery WHERE r.event = ?1
