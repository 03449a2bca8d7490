-- Whoever writes is among the others until its commit: who buries it waits for that. No row: it is not.
SELECT txid_current() FROM node WHERE id = $1 FOR KEY SHARE
