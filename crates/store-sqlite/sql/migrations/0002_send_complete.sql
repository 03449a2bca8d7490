-- What an organization may have and how strictly its payloads are held to their schemas.
-- plan is NULL for the instance's default plan. schema_mode: 0 refuse, 1 warn, 2 off.
ALTER TABLE organization ADD COLUMN plan TEXT;
ALTER TABLE organization ADD COLUMN schema_mode INTEGER NOT NULL DEFAULT 0;

-- The plans as they are configured, written anew at every start so that a limit is checked inside
-- the transaction it concerns. webhooks is NULL where there is no limit.
CREATE TABLE plan (
    name TEXT PRIMARY KEY,
    webhooks INTEGER,
    is_default INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The preset that filled the project when it was made, and the profile that its new webhooks get
-- unless they name one.
ALTER TABLE project ADD COLUMN preset TEXT;
ALTER TABLE project ADD COLUMN profile TEXT;

-- Versions of an event type's schema, so that publishers of an older shape are not broken by a
-- newer one. A retired version accepts no new events. organization is 0 for the instance's catalogue.
CREATE TABLE event_type_schema (
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    schema TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organization, name, version)
) STRICT, WITHOUT ROWID;

-- The version of its type's schema that the payload was checked against, if it was.
ALTER TABLE event ADD COLUMN schema_version INTEGER;

-- When its payload was deleted, if somebody asked for that; the payload is empty then.
ALTER TABLE event ADD COLUMN expunged_at INTEGER;

-- How a webhook's deliveries have ended, all time.
ALTER TABLE webhook_state ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_state ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_state ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_state ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;

-- The same by the hour in which they ended (hours since 1970), with the time that attempts took.
-- latency: counts of attempts by duration, one little-endian u32 per bucket (domain::statistics).
CREATE TABLE webhook_hour (
    webhook INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    total_ms INTEGER NOT NULL,
    latency BLOB NOT NULL,
    PRIMARY KEY (webhook, hour)
) STRICT, WITHOUT ROWID;

-- Deliveries ever born, counted where they are born and nowhere else: the one side of the audit
-- whose other side is what can be found of them (INV-LEDGER). One row.
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    born INTEGER NOT NULL
) STRICT;

-- Deliveries that an event got after it was accepted, by a replay: their sequences do not follow
-- the event's.
CREATE TABLE replayed_delivery (
    event INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    project INTEGER NOT NULL,
    PRIMARY KEY (event, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX replayed_delivery_by_project ON replayed_delivery (project, delivery);

-- Long work in small steps. request: domain::job, as JSON. state: 0 running, 1 done, 2 cancelled,
-- 3 failed. queued: the deliveries that came of it. place: the sequence that was looked at last; it
-- changes in the transaction of the step, so a restart goes on where the last commit stood.
CREATE TABLE job (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    webhook INTEGER NOT NULL,
    state INTEGER NOT NULL,
    request TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    place INTEGER NOT NULL,
    error TEXT,
    finished_at INTEGER
) STRICT;
CREATE INDEX job_running ON job (seq) WHERE state = 0;
CREATE INDEX job_by_project ON job (project, seq);

-- What Tidings itself has to report, written with the change it reports and deleted once it has
-- become an event.
CREATE TABLE report (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Who did what, when, from where. actor is a key's id, operator whether it is the operator's;
-- organization is 0 for acts on the instance.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    organization INTEGER NOT NULL,
    project INTEGER,
    actor TEXT NOT NULL,
    operator INTEGER NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_organization ON audit (organization, seq);

-- What stands in the database already is counted once.
INSERT INTO ledger (id, born) SELECT 1, (SELECT count(*) FROM delivery) + (SELECT count(*) FROM queue);
-- How many have ended stands in an index, and so does which of them were not delivered: no other delivery is looked at.
INSERT INTO webhook_state (webhook, failure_count, delivered, failed, dropped, cancelled)
SELECT every.webhook, 0, every.ended - coalesce(others.ended, 0), coalesce(others.failed, 0), coalesce(others.dropped, 0),
       coalesce(others.cancelled, 0)
FROM (SELECT webhook, count(*) AS ended FROM delivery GROUP BY webhook) AS every
LEFT JOIN (
    SELECT webhook, count(*) AS ended, sum(state = 3) AS failed, sum(state = 4) AS dropped, sum(state = 5) AS cancelled
    FROM delivery WHERE state <> 2 GROUP BY webhook
) AS others ON others.webhook = every.webhook
WHERE true
ON CONFLICT (webhook) DO UPDATE SET
    delivered = excluded.delivered, failed = excluded.failed, dropped = excluded.dropped, cancelled = excluded.cancelled;
