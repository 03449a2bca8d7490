INSERT INTO billing (organization, tail, status, plan, in_force, subscription, review_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (organization) DO UPDATE SET
    status = excluded.status, plan = excluded.plan, in_force = excluded.in_force, subscription = excluded.subscription,
    review_at = excluded.review_at, updated_at = excluded.updated_at
