UPDATE billing SET review_at = ?1 WHERE review_at IS NOT NULL
