SELECT seq, webhook FROM queue
WHERE seq IN (SELECT value::bigint FROM jsonb_array_elements_text(?1::jsonb) AS wanted (value))
