INSERT INTO attempt (
    delivery, number, rendering, started_at, status, failure, error, dns_us, connect_us, tls_us, first_byte_us,
    total_us, reused, head, response_headers, response_truncated, response_body, request_body
)
SELECT seq, attempts, rendering, started_at, status, failure, error, dns_us, connect_us, tls_us, first_byte_us,
       total_us, reused, head, response_headers, response_truncated, response_body, request_body
FROM delivery WHERE seq = ?1 AND started_at IS NOT NULL
