SELECT state FROM billing_customer WHERE id = ?1
