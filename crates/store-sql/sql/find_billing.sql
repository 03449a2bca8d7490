SELECT status, plan, in_force, subscription, review_at, updated_at FROM billing WHERE organization = ?1
