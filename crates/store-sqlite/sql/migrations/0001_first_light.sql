-- Row keys: `seq` is the ordered part of an id and `tail` its random part (domain::ids). A look-up
-- by id therefore needs no second index, and rows are appended at the right edge of their tables.

CREATE TABLE organization (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    name TEXT NOT NULL,
    default_project INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE TABLE project (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX project_by_organization ON project (organization, seq) WHERE deleted_at IS NULL;

-- organization is 0 for keys of the operator.
CREATE TABLE api_key (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    organization INTEGER NOT NULL,
    project INTEGER,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scopes INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_key_by_organization ON api_key (organization, seq);

-- organization is 0 for the instance's catalogue.
CREATE TABLE event_type (
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    group_name TEXT,
    description TEXT,
    example TEXT,
    archived INTEGER NOT NULL,
    PRIMARY KEY (organization, name)
) STRICT, WITHOUT ROWID;

-- status: 0 active, 1 paused, 2 disabled. cancelled: whether a deleted webhook's waiting
-- deliveries have all been ended.
CREATE TABLE webhook (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    status INTEGER NOT NULL,
    disabled_reason TEXT,
    settings TEXT NOT NULL,
    sealed BLOB NOT NULL,
    revision INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    cancelled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_by_project ON webhook (project, seq);
CREATE INDEX webhook_to_cancel ON webhook (seq) WHERE deleted_at IS NOT NULL AND cancelled = 0;

-- What the engine notes with every batch of attempts; apart from `webhook` because it is hot.
CREATE TABLE webhook_state (
    webhook INTEGER PRIMARY KEY,
    failure_count INTEGER NOT NULL,
    failing_since INTEGER,
    last_event_type TEXT,
    last_triggered_at INTEGER
) STRICT;

-- The deliveries of an event have the sequences seq+1 to seq+fanout.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    fanout INTEGER NOT NULL,
    type TEXT NOT NULL,
    custom_id TEXT,
    scopes TEXT,
    content_type TEXT,
    label TEXT,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX event_by_project ON event (project, seq, fanout);

-- Which ids a project has given its events. Apart from them, since an id is unique among all events, wherever they lie.
CREATE TABLE custom_id (
    project INTEGER NOT NULL,
    id TEXT NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX custom_id_by_event ON custom_id (event);

-- Unfinished deliveries. due_at is NULL while a delivery is leased: the happy path then touches
-- no index at all.
CREATE TABLE queue (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    event INTEGER NOT NULL,
    webhook INTEGER NOT NULL,
    project INTEGER NOT NULL,
    rendering INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    manual INTEGER NOT NULL,
    due_at INTEGER,
    last_status INTEGER,
    last_total_us INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX queue_by_due ON queue (webhook, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX queue_by_webhook ON queue (webhook, seq) WHERE due_at IS NOT NULL;

-- Finished deliveries, each with the attempt that ended it. state: 2 delivered, 3 failed,
-- 4 dropped, 5 cancelled (then without an attempt of its own).
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    event INTEGER NOT NULL,
    webhook INTEGER NOT NULL,
    project INTEGER NOT NULL,
    rendering INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    started_at INTEGER,
    status INTEGER,
    failure INTEGER,
    error TEXT,
    dns_us INTEGER,
    connect_us INTEGER,
    tls_us INTEGER,
    first_byte_us INTEGER,
    total_us INTEGER,
    reused INTEGER,
    head INTEGER,
    response_headers TEXT,
    response_truncated INTEGER,
    response_body BLOB
) STRICT;
CREATE INDEX delivery_by_webhook ON delivery (webhook, seq);
CREATE INDEX delivery_not_delivered ON delivery (webhook, seq) WHERE state <> 2;

-- The attempts that did not end their delivery.
CREATE TABLE attempt (
    delivery INTEGER NOT NULL,
    number INTEGER NOT NULL,
    rendering INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    status INTEGER,
    failure INTEGER,
    error TEXT,
    dns_us INTEGER NOT NULL,
    connect_us INTEGER NOT NULL,
    tls_us INTEGER NOT NULL,
    first_byte_us INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    reused INTEGER NOT NULL,
    head INTEGER NOT NULL,
    response_headers TEXT NOT NULL,
    response_truncated INTEGER NOT NULL,
    response_body BLOB NOT NULL,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- Request headers are the same for all attempts of a webhook but for a few places, so they are
-- kept once, with the places named (domain::head).
CREATE TABLE head_template (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE idempotency (
    owner INTEGER NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    response BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Small facts about the instance, such as the proof that the master key is the right one.
CREATE TABLE remembered (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
