-- The last change; processes that are alive; those that are dead; whether this one is there, whether it leads, how many
-- that are alive come before it, whether others want to be told what happens, and whether somebody has not wanted to
-- for so long that what it was told can be forgotten.
SELECT changes.generation,
       (SELECT count(*) FROM node WHERE until >= now_ms()),
       (SELECT count(*) FROM node WHERE until < now_ms()),
       (SELECT count(*) FROM node WHERE id = ?1),
       (SELECT count(*) FROM leader WHERE node = ?1 AND until >= now_ms()),
       (SELECT count(*) FROM node WHERE until >= now_ms() AND number < (SELECT number FROM node WHERE id = ?1)),
       EXISTS (SELECT 1 FROM listener WHERE node <> ?1 AND until >= now_ms()),
       EXISTS (SELECT 1 FROM listener WHERE until < now_ms() - ?2)
FROM changes
