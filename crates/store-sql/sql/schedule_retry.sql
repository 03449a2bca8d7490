UPDATE queue
SET due_at = ?3, attempts = ?4, last_status = ?5, last_total_us = ?6, last_error = ?7
WHERE seq = ?1 AND epoch = ?2 AND due_at IS NULL
