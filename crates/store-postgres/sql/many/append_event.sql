INSERT INTO event (
    seq, tail, project, fanout, type, custom_id, scopes, content_type, label, payload, schema_version, after_runs
)
SELECT * FROM unnest(
    ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::text[], ?6::text[], ?7::text[], ?8::text[], ?9::text[],
    ?10::bytea[], ?11::bigint[], ?12::bigint[]
)
