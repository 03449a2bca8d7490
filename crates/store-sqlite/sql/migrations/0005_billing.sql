-- What Stripe reported about whoever pays, as one document per customer: it is small, always read and
-- written as a whole, and the rules that change it are no statements. organization: for whom they pay.
CREATE TABLE billing_customer (
    id TEXT PRIMARY KEY,
    organization INTEGER,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX billing_customer_by_organization ON billing_customer (organization) WHERE organization IS NOT NULL;

-- What followed from it. plan: what was last set because of it, so that a plan which the operator
-- gives meanwhile stays until there is something new. review_at: when time alone changes something.
CREATE TABLE billing (
    organization INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    status TEXT NOT NULL,
    plan TEXT,
    subscription TEXT,
    review_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX billing_to_review ON billing (review_at) WHERE review_at IS NOT NULL;
