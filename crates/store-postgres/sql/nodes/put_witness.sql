-- Those of processes that are gone are of no use; a year is longer than any process lives.
WITH gone AS (DELETE FROM witness WHERE at < now_ms() - 31536000000)
INSERT INTO witness (id, at) VALUES ($1, now_ms()) ON CONFLICT DO NOTHING
