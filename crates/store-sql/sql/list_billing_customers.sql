SELECT c.id, c.state FROM billing_payee AS p JOIN billing_customer AS c ON c.id = p.customer
WHERE p.organization = ?1 ORDER BY c.id
