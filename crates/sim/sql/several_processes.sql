-- What PostgreSQL's tables have beyond SQLite's, as far as it concerns processes that share a database; see the
-- schema of store-postgres. Besides, the simulation's own books: who came, who was taken for dead or left.
ALTER TABLE organization ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE project ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE queue ADD COLUMN owner INTEGER;
CREATE TABLE instance (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO instance (id, version) VALUES (0, 0);
DROP TABLE ledger;
CREATE TABLE ledger (id INTEGER PRIMARY KEY, born INTEGER NOT NULL);
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    heard INTEGER NOT NULL
);
CREATE TABLE leader (id INTEGER PRIMARY KEY, node INTEGER, until INTEGER NOT NULL);
INSERT INTO leader (id, until) VALUES (0, 0);
CREATE TABLE change (
    generation INTEGER NOT NULL,
    project INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (generation, project)
);
CREATE TABLE changes (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
INSERT INTO changes (id, generation) VALUES (0, 0);
-- Which process runs the transaction, and what the database's clock shows.
CREATE TEMP TABLE here (node INTEGER NOT NULL, now_ms INTEGER NOT NULL);
INSERT INTO here (node, now_ms) VALUES (0, 0);
-- Processes that lost what they had leased, by their names, and when.
CREATE TABLE gone (name TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TEMP TRIGGER note_gone AFTER DELETE ON main.node BEGIN
    INSERT INTO gone (name, at) SELECT old.name, here.now_ms FROM here;
END;

CREATE TABLE listener (
    project INTEGER NOT NULL,
    node INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (project, node)
);
CREATE TABLE news (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    node INTEGER NOT NULL,
    project INTEGER NOT NULL,
    at INTEGER NOT NULL,
    news TEXT NOT NULL
);
CREATE TABLE command_turn (
    command INTEGER NOT NULL,
    ticket INTEGER NOT NULL,
    node INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (command, ticket)
);
