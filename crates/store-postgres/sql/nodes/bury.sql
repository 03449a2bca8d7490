-- Those that are dead, unless a transaction of theirs is still open: that one ends first.
DELETE FROM node WHERE id IN (SELECT id FROM node WHERE until < now_ms() FOR UPDATE SKIP LOCKED) RETURNING id
