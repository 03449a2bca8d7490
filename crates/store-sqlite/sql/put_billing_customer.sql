INSERT INTO billing_customer (id, organization, state) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, state = excluded.state
