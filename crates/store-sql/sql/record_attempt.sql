INSERT INTO attempt (
    delivery, number, rendering, started_at, status, failure, error, dns_us, connect_us, tls_us, first_byte_us,
    total_us, reused, head, response_headers, response_truncated, response_body, request_body
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
