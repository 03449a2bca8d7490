-- Small scripts with a name.
CREATE TABLE command (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    timeout_ms INTEGER NOT NULL,
    -- What happens when it is asked for while it runs, as a word.
    concurrency TEXT NOT NULL,
    -- When it runs by itself, as a document, and when it does next, by the wall clock.
    schedule TEXT,
    next_run_at INTEGER,
    revision INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX command_by_name ON command (project, name) WHERE deleted_at IS NULL;
CREATE INDEX command_by_project ON command (project, seq) WHERE deleted_at IS NULL;
CREATE INDEX command_by_next_run ON command (next_run_at, seq) WHERE next_run_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX command_deleted ON command (project) WHERE deleted_at IS NOT NULL;

-- How often a project's hook URLs may be called, as a document; none: by default.
CREATE TABLE command_settings (
    project INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;

-- Their executions. ended: how, as a document with everything that is known about it; status says the same in a
-- word. parent: the run that asked for it. delivery: the delivery it was made for. at: when it began, for a run that was put off has an id from before.
CREATE TABLE run (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    command TEXT NOT NULL,
    user_id TEXT,
    parent_seq INTEGER,
    parent_tail INTEGER,
    delivery_seq INTEGER,
    delivery_tail INTEGER,
    status TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- Its place among all runs, by when it began.
    place INTEGER NOT NULL,
    -- What may be large stands last, so that lists need not read it.
    ended TEXT NOT NULL,
    answer TEXT,
    messages TEXT NOT NULL,
    console TEXT NOT NULL,
    -- What it did, in short.
    effects TEXT NOT NULL,
    input TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_by_place ON run (place);
CREATE INDEX run_by_project ON run (project, place);
CREATE INDEX run_by_status ON run (project, status, place);
CREATE INDEX run_by_command ON run (project, command, place);
CREATE INDEX run_by_command_and_status ON run (project, command, status, place);
CREATE INDEX run_by_any_delivery ON run (delivery_seq) WHERE delivery_seq IS NOT NULL;
-- What was done for a delivery is not done again.
CREATE UNIQUE INDEX run_by_delivery ON run (delivery_seq) WHERE delivery_seq IS NOT NULL AND status = 'succeeded';

-- What runs keep. owner: a user's id, or empty for the project as a whole.
CREATE TABLE property (
    project INTEGER NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project, owner, name)
) STRICT, WITHOUT ROWID;

-- How many of them a project has, counted where they change.
CREATE TABLE property_count (
    project INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;

-- Deleted projects whose commands and what belongs to them are still to be deleted, step by step.
CREATE TABLE leftover (
    project INTEGER PRIMARY KEY
) STRICT;

-- What is still to be done after runs: runs, requests, events. The key is that of the run that comes of it, so that
-- it is done once whatever happens. is_put_off: a run that is to begin later, and can be called off; the rest cannot.
CREATE TABLE run_task (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    user_id TEXT,
    parent_seq INTEGER,
    parent_tail INTEGER,
    due_at INTEGER NOT NULL,
    label TEXT,
    is_put_off INTEGER NOT NULL,
    -- Whether it is a request to somebody else, which may take long to answer.
    is_request INTEGER NOT NULL,
    -- The command whose schedule asks for it.
    schedule_of INTEGER,
    work TEXT NOT NULL
) STRICT;
CREATE INDEX run_task_by_due ON run_task (is_request, due_at, seq);
CREATE INDEX run_task_by_project ON run_task (project, user_id);
CREATE INDEX run_task_by_schedule ON run_task (schedule_of) WHERE schedule_of IS NOT NULL;

-- The version of the key that signs a project's hook URLs, and former ones whose URLs are still good, as a list of
-- documents with the end of each.
ALTER TABLE project ADD COLUMN hook_key_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE project ADD COLUMN former_hook_keys TEXT NOT NULL DEFAULT '[]';

-- What plans allow commands: runs per month, and how long one may take. NULL: as the command says.
ALTER TABLE plan ADD COLUMN iterations INTEGER;
ALTER TABLE plan ADD COLUMN command_timeout_ms INTEGER;

-- For how many days events of the plan's organizations are kept. NULL: as long as all others.
ALTER TABLE plan ADD COLUMN event_days INTEGER;

-- Runs by organization and month (2026-05, UTC), counted in the transaction that writes the run. reported: whether
-- the operator was told that the month's are used up.
CREATE TABLE iteration (
    organization INTEGER NOT NULL,
    month TEXT NOT NULL,
    used INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    PRIMARY KEY (organization, month)
) STRICT, WITHOUT ROWID;

-- Bots that were imported from Bots.Business. sealed: the token, encrypted. redirect_hosts: a list of names.
CREATE TABLE bot (
    project INTEGER PRIMARY KEY,
    bot_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    redirect_hosts TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX bot_by_id ON bot (bot_id);

-- How many runs of commands have followed one another, without a pause, before an event came of the last of them.
ALTER TABLE event ADD COLUMN after_runs INTEGER;

-- Attempts that a receiver took. Delivered ones that are sent again are taken back from "delivered".
ALTER TABLE webhook_hour ADD COLUMN succeeded INTEGER NOT NULL DEFAULT 0;
UPDATE webhook_hour SET succeeded = delivered;

-- What was sent, where a transform made something else of the event than its rendering.
ALTER TABLE attempt ADD COLUMN request_body BLOB;
ALTER TABLE delivery ADD COLUMN request_body BLOB;
