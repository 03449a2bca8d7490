-- Where providers' webhooks come in. To the engine a source is a project with two webhooks: for what is
-- done within the process, and for what is sent on, so that a dead receiver holds up nothing else.
-- Project and first webhook have the source's key; all are `hidden` from everybody else. Its receipts are events of that
-- project, so lists of the owner's project do not show them, and no list has to leave them out.
ALTER TABLE project ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;

-- sealed: the token of its address and the provider's secrets. rejected, duplicates: requests that
-- left nothing but this count.
CREATE TABLE source (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    disabled INTEGER NOT NULL,
    settings TEXT NOT NULL,
    sealed BLOB NOT NULL,
    revision INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    rejected INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX source_by_name ON source (project, name) WHERE deleted_at IS NULL;

-- A source's actions, revision by revision: what waits is done as it was asked for, whatever is
-- changed meanwhile.
CREATE TABLE source_actions (
    source INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    actions TEXT NOT NULL,
    PRIMARY KEY (source, revision)
) STRICT, WITHOUT ROWID;

-- What a receipt has beside its event, whose key it shares. project is the source's owner.
CREATE TABLE receipt (
    seq INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    source INTEGER NOT NULL,
    provider_id TEXT,
    type TEXT,
    address TEXT NOT NULL,
    headers TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_by_source ON receipt (source, seq);
CREATE INDEX receipt_by_project ON receipt (project, seq);

-- What a source has taken in, by the ids that its provider gives: known for longer than the receipts, since providers
-- send and list things again.
CREATE TABLE provider_id (
    source INTEGER NOT NULL,
    id TEXT NOT NULL,
    receipt INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_id_by_receipt ON provider_id (receipt);

-- Small documents that actions and commands keep. data is NULL once it was deleted, so that versions go on.
CREATE TABLE record (
    project INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    data TEXT,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project, kind, key)
) STRICT, WITHOUT ROWID;

-- What became of a record, version by version. delivery: the action that changed it, so that the
-- same action changes it once however often it is tried.
CREATE TABLE record_change (
    project INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    data TEXT,
    cause TEXT NOT NULL,
    at INTEGER NOT NULL,
    delivery INTEGER,
    PRIMARY KEY (project, kind, key, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_change_by_delivery ON record_change (delivery) WHERE delivery IS NOT NULL;
