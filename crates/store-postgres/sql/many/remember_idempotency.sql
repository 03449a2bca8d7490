INSERT INTO idempotency (owner, key, request_hash, status, response, created_at)
SELECT * FROM unnest(?1::bigint[], ?2::text[], ?3::bytea[], ?4::bigint[], ?5::bytea[], ?6::bigint[])
ON CONFLICT DO NOTHING
RETURNING owner, key
