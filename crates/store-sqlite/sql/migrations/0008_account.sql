-- People who sign in. password_hash: in PHC's form; NULL: entered through a provider alone.
CREATE TABLE account (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    operator INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_by_email ON account (email);
CREATE INDEX account_of_operator ON account (seq) WHERE operator = 1;

-- Their places in organizations. role: a number that grows with what it allows.
CREATE TABLE member (
    organization INTEGER NOT NULL,
    account INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_account ON member (account, organization);

-- Links that give a place. organization 0: the operator's, with no role. email NULL: whoever has the link says so.
CREATE TABLE invite (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    hash BLOB NOT NULL,
    organization INTEGER NOT NULL,
    role INTEGER,
    email TEXT,
    expires_at INTEGER NOT NULL,
    made_by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX invite_by_hash ON invite (hash);
CREATE INDEX invite_by_organization ON invite (organization, seq);
CREATE INDEX invite_by_expiry ON invite (expires_at);

-- Browsers that somebody is signed in with.
CREATE TABLE session (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    hash BLOB NOT NULL,
    account INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX session_by_hash ON session (hash);
CREATE INDEX session_by_account ON session (account, seq);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX session_by_seen ON session (seen_at);

-- Who they are to providers of identities.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_by_account ON identity (account);
