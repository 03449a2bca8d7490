-- What Stripe reported about whoever pays, as one document per customer: it is small, always read and
-- written as a whole, and the rules that change it are no statements.
CREATE TABLE billing_customer (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- For whom they pay, or once paid.
CREATE TABLE billing_payee (
    organization INTEGER NOT NULL,
    customer TEXT NOT NULL,
    PRIMARY KEY (organization, customer)
) STRICT, WITHOUT ROWID;

-- What followed from it. plan: what was last said because of it, so that a plan which the operator
-- gives meanwhile stays until there is something new. in_force: whether plans are set because of it;
-- not while the operator has given more than is paid for. review_at: when time alone changes something.
CREATE TABLE billing (
    organization INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    status TEXT NOT NULL,
    plan TEXT,
    in_force INTEGER NOT NULL,
    subscription TEXT,
    review_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX billing_to_review ON billing (review_at) WHERE review_at IS NOT NULL;
