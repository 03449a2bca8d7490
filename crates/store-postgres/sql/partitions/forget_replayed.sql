DELETE FROM replayed_delivery WHERE (event, delivery) IN (
    SELECT event, delivery FROM replayed_delivery WHERE event < $1 ORDER BY event LIMIT $3
)
