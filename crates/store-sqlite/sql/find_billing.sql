SELECT status, plan, subscription, review_at, updated_at FROM billing WHERE organization = ?1
