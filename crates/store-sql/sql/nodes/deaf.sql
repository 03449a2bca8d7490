-- Who is alive and has not heard of a change yet.
SELECT count(*) FROM node WHERE id <> ?1 AND until >= now_ms() AND heard < ?2
