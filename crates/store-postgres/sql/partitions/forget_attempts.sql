DELETE FROM attempt WHERE (delivery, number) IN (
    SELECT a.delivery, a.number
    FROM (
        SELECT seq FROM delivery WHERE seq >= $1 AND seq < $2 AND event < $1
        UNION ALL SELECT delivery FROM replayed_delivery WHERE event < $1
    ) AS d
    JOIN attempt AS a ON a.delivery = d.seq
    LIMIT $3
)
