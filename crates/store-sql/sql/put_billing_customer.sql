INSERT INTO billing_customer (id, state) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET state = excluded.state
