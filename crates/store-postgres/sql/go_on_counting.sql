-- Rows that come get numbers behind those that were carried.
SELECT setval(pg_get_serial_sequence('head_template', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM head_template), false),
       setval(pg_get_serial_sequence('report', 'seq'), (SELECT coalesce(max(seq), 0) + 1 FROM report), false)
