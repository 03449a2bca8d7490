DELETE FROM provider_id
WHERE (source, id) IN (SELECT source, id FROM provider_id WHERE receipt < ?1 ORDER BY receipt LIMIT ?2)
