SELECT a.number, a.rendering, a.started_at, a.status, a.failure, a.error, a.dns_us, a.connect_us, a.tls_us,
       a.first_byte_us, a.total_us, a.reused, h.text, a.response_headers, a.response_truncated, a.response_body,
       a.request_body
FROM (
    SELECT number, rendering, started_at, status, failure, error, dns_us, connect_us, tls_us, first_byte_us,
           total_us, reused, head, response_headers, response_truncated, response_body, request_body
    FROM attempt WHERE delivery = ?1
    UNION ALL
    SELECT attempts, rendering, started_at, status, failure, error, dns_us, connect_us, tls_us, first_byte_us,
           total_us, reused, head, response_headers, response_truncated, response_body, request_body
    FROM delivery WHERE seq = ?1 AND started_at IS NOT NULL
) AS a
JOIN head_template AS h ON h.id = a.head
ORDER BY a.number
