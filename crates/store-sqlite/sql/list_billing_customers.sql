SELECT id, state FROM billing_customer WHERE organization = ?1 ORDER BY id
