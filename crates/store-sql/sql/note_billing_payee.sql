INSERT INTO billing_payee (organization, customer) VALUES (?1, ?2) ON CONFLICT DO NOTHING
