DELETE FROM delivery WHERE seq IN (
    SELECT seq FROM delivery WHERE seq >= $1 AND seq < $2 AND event < $1
    UNION ALL SELECT d.seq FROM replayed_delivery AS r JOIN delivery AS d ON d.seq = r.delivery WHERE r.event < $1
    LIMIT $3
)
