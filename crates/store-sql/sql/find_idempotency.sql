SELECT request_hash, status, response FROM idempotency WHERE owner = ?1 AND key = ?2
