-- How projects show themselves to their customers. settings: domain::portal::Portal, as JSON. logo: a picture.
CREATE TABLE portal (
    project INTEGER PRIMARY KEY,
    settings TEXT NOT NULL,
    logo BLOB,
    updated_at INTEGER NOT NULL
) STRICT;

-- Links to a project's portal, by the hash of their token; those that ended stay for a week. mode: light, dark or
-- system, and return_url: where it leads back to, if not as the portal says.
CREATE TABLE portal_session (
    seq INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    hash BLOB NOT NULL,
    project INTEGER NOT NULL,
    scopes INTEGER NOT NULL,
    mode TEXT,
    expires_at INTEGER NOT NULL,
    return_url TEXT
) STRICT;
CREATE UNIQUE INDEX portal_session_by_hash ON portal_session (hash);
CREATE INDEX portal_session_by_project ON portal_session (project, expires_at);
CREATE INDEX portal_session_by_expiry ON portal_session (expires_at);
