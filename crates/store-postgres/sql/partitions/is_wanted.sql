-- Whether a delivery has not ended of an event below $1, or one below $1 itself. $2: behind $1, how far deliveries reach
-- of events in front of it.
SELECT EXISTS (SELECT 1 FROM queue WHERE seq < $1)
    OR EXISTS (SELECT 1 FROM queue WHERE seq >= $1 AND seq < $2 AND event < $1)
    OR EXISTS (SELECT 1 FROM replayed_delivery AS r JOIN queue AS q ON q.seq = r.delivery WHERE r.event < $1)
