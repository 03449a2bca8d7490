INSERT INTO delivery (
    seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at, started_at, status, failure,
    error, dns_us, connect_us, tls_us, first_byte_us, total_us, reused, head, response_headers, response_truncated,
    response_body, request_body
)
SELECT * FROM unnest(
    ?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::bigint[], ?6::bigint[], ?7::bigint[], ?8::bigint[],
    ?9::bigint[], ?10::bigint[], ?11::bigint[], ?12::bigint[], ?13::bigint[], ?14::text[], ?15::bigint[],
    ?16::bigint[], ?17::bigint[], ?18::bigint[], ?19::bigint[], ?20::bigint[], ?21::bigint[], ?22::text[],
    ?23::bigint[], ?24::bytea[], ?25::bytea[]
)
