-- Small scripts with a name.
CREATE TABLE command (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    timeout_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX command_by_name ON command (project, name) WHERE deleted_at IS NULL;
CREATE INDEX command_by_project ON command (project, seq) WHERE deleted_at IS NULL;

-- How often a project's hook URLs may be called, as a document; none: by default.
CREATE TABLE command_settings (
    project INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;

-- Their executions. ended: how, as a document with everything that is known about it; status says the same in a
-- word. parent: the run that asked for it. at: when it began, for a run that was put off has an id from before.
CREATE TABLE run (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    command TEXT NOT NULL,
    user_id TEXT,
    parent_seq INTEGER,
    parent_tail INTEGER,
    status TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- What may be large stands last, so that lists need not read it.
    ended TEXT NOT NULL,
    answer TEXT,
    messages TEXT NOT NULL,
    console TEXT NOT NULL,
    input TEXT NOT NULL
) STRICT;
CREATE INDEX run_by_project ON run (project, seq);
CREATE INDEX run_by_command ON run (project, command, seq);

-- What runs keep. owner: a user's id, or empty for the project as a whole.
CREATE TABLE property (
    project INTEGER NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project, owner, name)
) STRICT, WITHOUT ROWID;

-- What is still to be done after runs: runs, requests, events. The key is that of the run that comes of it, so that
-- it is done once whatever happens. Runs can be called off, the rest cannot.
CREATE TABLE run_task (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    project INTEGER NOT NULL,
    user_id TEXT,
    parent_seq INTEGER NOT NULL,
    parent_tail INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    label TEXT,
    is_run INTEGER NOT NULL,
    work TEXT NOT NULL
) STRICT;
CREATE INDEX run_task_by_due ON run_task (due_at, seq);
CREATE INDEX run_task_by_project ON run_task (project, user_id);

-- The version of the key that signs a project's hook URLs, and former ones whose URLs are still good, as a list of
-- documents with the end of each.
ALTER TABLE project ADD COLUMN hook_key_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE project ADD COLUMN former_hook_keys TEXT NOT NULL DEFAULT '[]';

-- What plans allow commands: runs per month, and how long one may take. NULL: as the command says.
ALTER TABLE plan ADD COLUMN iterations INTEGER;
ALTER TABLE plan ADD COLUMN command_timeout_ms INTEGER;

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
