-- What tables and columns mean stands in SQLite's migrations, from which these follow; here stands what is
-- different. Numbers, truth values and times are BIGINT, as there; texts compare byte by byte, as there.
--
-- version (organization, project, instance): raised with what a project's snapshot is made of. An event is appended
-- while all three are held, so that none is decided by webhooks of which one has changed.
-- owner (queue): the process that leased it.
--
-- What grows with time and is forgotten with time lies in partitions, each of some days by the time that is in its
-- rows' sequences; those whose time is over are dropped whole. The process makes them (partitions.rs).

CREATE TABLE organization (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    default_project BIGINT NOT NULL,
    deleted_at BIGINT,
    plan TEXT COLLATE "C",
    schema_mode BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE project (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    organization BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    deleted_at BIGINT,
    preset TEXT COLLATE "C",
    profile TEXT COLLATE "C",
    hidden BIGINT NOT NULL DEFAULT 0,
    hook_key_version BIGINT NOT NULL DEFAULT 1,
    former_hook_keys TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX project_by_organization ON project (organization, seq) WHERE deleted_at IS NULL;

CREATE TABLE api_key (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    organization BIGINT NOT NULL,
    project BIGINT,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    scopes BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_key_by_organization ON api_key (organization, seq);

CREATE TABLE event_type (
    organization BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    group_name TEXT COLLATE "C",
    description TEXT COLLATE "C",
    example TEXT COLLATE "C",
    archived BIGINT NOT NULL,
    PRIMARY KEY (organization, name)
);

CREATE TABLE webhook (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    status BIGINT NOT NULL,
    disabled_reason TEXT COLLATE "C",
    settings TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    cancelled BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX webhook_by_project ON webhook (project, seq);
CREATE INDEX webhook_to_cancel ON webhook (seq) WHERE deleted_at IS NOT NULL AND cancelled = 0;

CREATE TABLE webhook_state (
    webhook BIGINT PRIMARY KEY,
    failure_count BIGINT NOT NULL,
    failing_since BIGINT,
    last_event_type TEXT COLLATE "C",
    last_triggered_at BIGINT,
    delivered BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    dropped BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE event (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    fanout BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    custom_id TEXT COLLATE "C",
    scopes TEXT COLLATE "C",
    content_type TEXT COLLATE "C",
    label TEXT COLLATE "C",
    payload BYTEA NOT NULL,
    schema_version BIGINT,
    expunged_at BIGINT,
    after_runs BIGINT
) PARTITION BY RANGE (seq);
CREATE INDEX event_by_project ON event (project, seq, fanout);

CREATE TABLE custom_id (
    project BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    event BIGINT NOT NULL,
    PRIMARY KEY (project, id)
);
CREATE INDEX custom_id_by_event ON custom_id (event);

CREATE TABLE queue (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    event BIGINT NOT NULL,
    webhook BIGINT NOT NULL,
    project BIGINT NOT NULL,
    rendering BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    manual BIGINT NOT NULL,
    due_at BIGINT,
    last_status BIGINT,
    last_total_us BIGINT,
    last_error TEXT COLLATE "C",
    owner BIGINT
);
CREATE INDEX queue_by_due ON queue (webhook, due_at) WHERE due_at IS NOT NULL;
-- Leased ones as well: no process knows the leases of all others.
CREATE INDEX queue_by_webhook ON queue (webhook, seq);

CREATE TABLE delivery (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    event BIGINT NOT NULL,
    webhook BIGINT NOT NULL,
    project BIGINT NOT NULL,
    rendering BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    started_at BIGINT,
    status BIGINT,
    failure BIGINT,
    error TEXT COLLATE "C",
    dns_us BIGINT,
    connect_us BIGINT,
    tls_us BIGINT,
    first_byte_us BIGINT,
    total_us BIGINT,
    reused BIGINT,
    head BIGINT,
    response_headers TEXT COLLATE "C",
    response_truncated BIGINT,
    response_body BYTEA,
    request_body BYTEA
) PARTITION BY RANGE (seq);
CREATE INDEX delivery_by_webhook ON delivery (webhook, seq);
CREATE INDEX delivery_not_delivered ON delivery (webhook, seq) WHERE state <> 2;

CREATE TABLE attempt (
    delivery BIGINT NOT NULL,
    number BIGINT NOT NULL,
    rendering BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    status BIGINT,
    failure BIGINT,
    error TEXT COLLATE "C",
    dns_us BIGINT NOT NULL,
    connect_us BIGINT NOT NULL,
    tls_us BIGINT NOT NULL,
    first_byte_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    reused BIGINT NOT NULL,
    head BIGINT NOT NULL,
    response_headers TEXT COLLATE "C" NOT NULL,
    response_truncated BIGINT NOT NULL,
    response_body BYTEA NOT NULL,
    request_body BYTEA,
    PRIMARY KEY (delivery, number)
) PARTITION BY RANGE (delivery);

-- Equal texts are kept out by their hashes: a sorted index takes no text of more than a third of a page.
CREATE TABLE head_template (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    text TEXT COLLATE "C" NOT NULL,
    CONSTRAINT head_template_by_text EXCLUDE USING hash (text WITH =)
);

CREATE TABLE idempotency (
    owner BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash BYTEA NOT NULL,
    status BIGINT NOT NULL,
    response BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE remembered (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE plan (
    name TEXT COLLATE "C" PRIMARY KEY,
    webhooks BIGINT,
    is_default BIGINT NOT NULL,
    iterations BIGINT,
    command_timeout_ms BIGINT,
    event_days BIGINT
);

CREATE TABLE event_type_schema (
    organization BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    schema TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    retired BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organization, name, version)
);

CREATE TABLE webhook_hour (
    webhook BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    total_ms BIGINT NOT NULL,
    latency BYTEA NOT NULL,
    succeeded BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook, hour)
);
-- One row for each process that has appended.
CREATE TABLE ledger (
    id BIGINT PRIMARY KEY,
    born BIGINT NOT NULL
);

CREATE TABLE replayed_delivery (
    event BIGINT NOT NULL,
    delivery BIGINT NOT NULL,
    project BIGINT NOT NULL,
    PRIMARY KEY (event, delivery)
);
CREATE INDEX replayed_delivery_by_project ON replayed_delivery (project, delivery);

CREATE TABLE job (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    webhook BIGINT NOT NULL,
    state BIGINT NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    queued BIGINT NOT NULL,
    place BIGINT NOT NULL,
    error TEXT COLLATE "C",
    finished_at BIGINT
);
CREATE INDEX job_running ON job (seq) WHERE state = 0;
CREATE INDEX job_by_project ON job (project, seq);

CREATE TABLE report (
    seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    type TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    organization BIGINT NOT NULL,
    project BIGINT,
    actor TEXT COLLATE "C" NOT NULL,
    operator BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_by_organization ON audit (organization, seq);
CREATE INDEX webhook_hour_by_hour ON webhook_hour (hour);

CREATE TABLE source (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    disabled BIGINT NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    rejected BIGINT NOT NULL DEFAULT 0,
    duplicates BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX source_by_name ON source (project, name) WHERE deleted_at IS NULL;

CREATE TABLE source_actions (
    source BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    actions TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, revision)
);

CREATE TABLE receipt (
    seq BIGINT PRIMARY KEY,
    project BIGINT NOT NULL,
    source BIGINT NOT NULL,
    provider_id TEXT COLLATE "C",
    type TEXT COLLATE "C",
    address TEXT COLLATE "C" NOT NULL,
    headers TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    via BIGINT NOT NULL DEFAULT 0
) PARTITION BY RANGE (seq);
CREATE INDEX receipt_by_source ON receipt (source, seq);
CREATE INDEX receipt_by_project ON receipt (project, seq);

CREATE TABLE provider_id (
    source BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    receipt BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX provider_id_by_receipt ON provider_id (receipt);

CREATE TABLE record (
    project BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C",
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project, kind, key)
);

CREATE TABLE record_change (
    project BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    data TEXT COLLATE "C",
    cause TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    delivery BIGINT,
    PRIMARY KEY (project, kind, key, version)
);
CREATE UNIQUE INDEX record_change_by_delivery ON record_change (delivery) WHERE delivery IS NOT NULL;

CREATE TABLE billing_customer (
    id TEXT COLLATE "C" PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL
);

CREATE TABLE billing_payee (
    organization BIGINT NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, customer)
);

CREATE TABLE billing (
    organization BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    plan TEXT COLLATE "C",
    in_force BIGINT NOT NULL,
    subscription TEXT COLLATE "C",
    review_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX billing_to_review ON billing (review_at) WHERE review_at IS NOT NULL;

CREATE TABLE gap_fill (
    source BIGINT PRIMARY KEY,
    active BIGINT NOT NULL,
    mark BIGINT NOT NULL,
    last_run_at BIGINT,
    last_error TEXT COLLATE "C",
    taken_in BIGINT NOT NULL DEFAULT 0,
    left_out BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE command (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    timeout_ms BIGINT NOT NULL,
    concurrency TEXT COLLATE "C" NOT NULL,
    schedule TEXT COLLATE "C",
    next_run_at BIGINT,
    revision BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX command_by_name ON command (project, name) WHERE deleted_at IS NULL;
CREATE INDEX command_by_project ON command (project, seq) WHERE deleted_at IS NULL;
CREATE INDEX command_by_next_run ON command (next_run_at, seq) WHERE next_run_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX command_deleted ON command (project) WHERE deleted_at IS NOT NULL;

CREATE TABLE command_settings (
    project BIGINT PRIMARY KEY,
    settings TEXT COLLATE "C" NOT NULL
);

CREATE TABLE run (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    command TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    parent_seq BIGINT,
    parent_tail BIGINT,
    delivery_seq BIGINT,
    delivery_tail BIGINT,
    status TEXT COLLATE "C" NOT NULL,
    duration_us BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    at BIGINT NOT NULL,
    place BIGINT NOT NULL,
    ended TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C",
    messages TEXT COLLATE "C" NOT NULL,
    console TEXT COLLATE "C" NOT NULL,
    effects TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX run_by_place ON run (place);
CREATE INDEX run_by_project ON run (project, place);
CREATE INDEX run_by_status ON run (project, status, place);
CREATE INDEX run_by_command ON run (project, command, place);
CREATE INDEX run_by_command_and_status ON run (project, command, status, place);
CREATE INDEX run_by_any_delivery ON run (delivery_seq) WHERE delivery_seq IS NOT NULL;
CREATE UNIQUE INDEX run_by_delivery ON run (delivery_seq) WHERE delivery_seq IS NOT NULL AND status = 'succeeded';

CREATE TABLE property (
    project BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project, owner, name)
);

CREATE TABLE property_count (
    project BIGINT PRIMARY KEY,
    count BIGINT NOT NULL
);

CREATE TABLE leftover (
    project BIGINT PRIMARY KEY
);

CREATE TABLE run_task (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    project BIGINT NOT NULL,
    user_id TEXT COLLATE "C",
    parent_seq BIGINT,
    parent_tail BIGINT,
    due_at BIGINT NOT NULL,
    label TEXT COLLATE "C",
    is_put_off BIGINT NOT NULL,
    is_request BIGINT NOT NULL,
    schedule_of BIGINT,
    work TEXT COLLATE "C" NOT NULL
);
CREATE INDEX run_task_by_due ON run_task (is_request, due_at, seq);
CREATE INDEX run_task_by_project ON run_task (project, user_id);
CREATE INDEX run_task_by_schedule ON run_task (schedule_of) WHERE schedule_of IS NOT NULL;

CREATE TABLE iteration (
    organization BIGINT NOT NULL,
    month TEXT COLLATE "C" NOT NULL,
    used BIGINT NOT NULL,
    reported BIGINT NOT NULL,
    PRIMARY KEY (organization, month)
);

CREATE TABLE bot (
    project BIGINT PRIMARY KEY,
    bot_id TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    redirect_hosts TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX bot_by_id ON bot (bot_id);

CREATE TABLE account (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C",
    operator BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_by_email ON account (email);
CREATE INDEX account_of_operator ON account (seq) WHERE operator = 1;

CREATE TABLE member (
    organization BIGINT NOT NULL,
    account BIGINT NOT NULL,
    role BIGINT NOT NULL,
    PRIMARY KEY (organization, account)
);
CREATE INDEX member_by_account ON member (account, organization);

CREATE TABLE invite (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    organization BIGINT NOT NULL,
    role BIGINT,
    email TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    made_by TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX invite_by_hash ON invite (hash);
CREATE INDEX invite_by_organization ON invite (organization, seq);
CREATE INDEX invite_by_expiry ON invite (expires_at);

CREATE TABLE session (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    account BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX session_by_hash ON session (hash);
CREATE INDEX session_by_account ON session (account, seq);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX session_by_seen ON session (seen_at);

CREATE TABLE identity (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_by_account ON identity (account);

CREATE TABLE portal (
    project BIGINT PRIMARY KEY,
    settings TEXT COLLATE "C" NOT NULL,
    logo BYTEA,
    updated_at BIGINT NOT NULL
);

CREATE TABLE portal_session (
    seq BIGINT PRIMARY KEY,
    tail BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    project BIGINT NOT NULL,
    scopes BIGINT NOT NULL,
    mode TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    return_url TEXT COLLATE "C"
);
CREATE UNIQUE INDEX portal_session_by_hash ON portal_session (hash);
CREATE INDEX portal_session_by_project ON portal_session (project, expires_at);
CREATE INDEX portal_session_by_expiry ON portal_session (expires_at);

-- What belongs to no organization.
CREATE TABLE instance (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO instance (id, version) VALUES (0, 0);

-- Processes that use this database. Whoever has not said for a while that it lives is taken for dead: others remove
-- its row, and free what it leased.
-- number: part of the ids it makes. until: by the database's clock, as all times here. heard: the last change of
-- which it keeps nothing older in memory.
CREATE TABLE node (
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    heard BIGINT NOT NULL
);

-- What a process finds here again tells it that the database has not crashed since, for then PostgreSQL empties such a
-- table. at: when it was put here.
CREATE UNLOGGED TABLE witness (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL
);

-- Which of them does what only one may do.
CREATE TABLE leader (
    id BIGINT PRIMARY KEY,
    node BIGINT,
    until BIGINT NOT NULL
);
INSERT INTO leader (id, until) VALUES (0, 0);

-- What has changed that processes keep in memory, for as long as somebody may have to hear of it.
CREATE TABLE change (
    generation BIGINT NOT NULL,
    project BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (generation, project)
);
CREATE INDEX change_by_age ON change (at);
CREATE TABLE changes (
    id BIGINT PRIMARY KEY,
    generation BIGINT NOT NULL
);
INSERT INTO changes (id, generation) VALUES (0, 0);

-- Runs of commands that do not run beside themselves, whichever process they are asked of: who runs, and who waits.
-- ticket: grows with when it was asked for. until: then whoever wanted it has gone.
CREATE TABLE command_turn (
    command BIGINT NOT NULL,
    ticket BIGINT NOT NULL,
    node BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (command, ticket)
);

-- Which of them have somebody who listens to what happens in a project, and what they are told of it: for seconds, and
-- gone if the database crashes.
CREATE UNLOGGED TABLE listener (
    project BIGINT NOT NULL,
    node BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (project, node)
);
CREATE UNLOGGED TABLE news (
    node BIGINT NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    project BIGINT NOT NULL,
    at BIGINT NOT NULL,
    news TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (node, number)
);

CREATE FUNCTION now_ms() RETURNS BIGINT LANGUAGE sql VOLATILE AS
    'SELECT (extract(epoch from clock_timestamp()) * 1000)::bigint';
