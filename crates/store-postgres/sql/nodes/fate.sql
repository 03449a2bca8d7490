-- What became of a transaction: committed, aborted, in progress.
SELECT txid_status($1)::text
