-- How a receipt came: 0 by itself, 1 because its provider was asked.
ALTER TABLE receipt ADD COLUMN via INTEGER NOT NULL DEFAULT 0;

-- What was asked of the providers of sources that ask. active: whether it asks now. mark: up to when,
-- by the provider's clock, nothing is missing. The row stays when a source asks no more, so that one
-- which asks again goes on where it was.
CREATE TABLE gap_fill (
    source INTEGER PRIMARY KEY,
    active INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    last_run_at INTEGER,
    last_error TEXT,
    taken_in INTEGER NOT NULL DEFAULT 0,
    left_out INTEGER NOT NULL DEFAULT 0
) STRICT;
