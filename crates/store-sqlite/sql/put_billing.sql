INSERT INTO billing (organization, tail, status, plan, subscription, review_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (organization) DO UPDATE SET
    status = excluded.status, plan = excluded.plan, subscription = excluded.subscription,
    review_at = excluded.review_at, updated_at = excluded.updated_at
