-- What became of a transaction: committed, aborted, in progress, or nothing if that is long forgotten; and whether the
-- database has not crashed since the witness was put there.
SELECT txid_status($1)::text, EXISTS (SELECT 1 FROM witness WHERE id = $2)
