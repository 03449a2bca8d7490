SELECT 1 FROM event AS e
WHERE e.seq = ?1 AND (
    EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq > e.seq AND d.seq <= e.seq + e.fanout AND d.webhook = ?2)
    OR EXISTS (SELECT 1 FROM queue AS q WHERE q.seq > e.seq AND q.seq <= e.seq + e.fanout AND q.webhook = ?2)
    OR EXISTS (
        SELECT 1 FROM replayed_delivery AS r
        WHERE r.event = e.seq AND (
            EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = r.delivery AND d.webhook = ?2)
            OR EXISTS (SELECT 1 FROM queue AS q WHERE q.seq = r.delivery AND q.webhook = ?2)
        )
    )
)
