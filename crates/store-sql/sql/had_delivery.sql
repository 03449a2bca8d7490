-- ?3: the last sequence that a delivery of the event can have.
SELECT 1 FROM event AS e
WHERE e.seq = ?1 AND (
    EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq > ?1 AND d.seq <= ?3 AND d.event = ?1 AND d.webhook = ?2)
    OR EXISTS (SELECT 1 FROM queue AS q WHERE q.seq > ?1 AND q.seq <= ?3 AND q.event = ?1 AND q.webhook = ?2)
    OR EXISTS (
        SELECT 1 FROM replayed_delivery AS r
        WHERE r.event = e.seq AND (
            EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = r.delivery AND d.webhook = ?2)
            OR EXISTS (SELECT 1 FROM queue AS q WHERE q.seq = r.delivery AND q.webhook = ?2)
        )
    )
)
