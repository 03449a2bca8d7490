SELECT 1 FROM run WHERE delivery_seq = ?1 AND delivery_seq IS NOT NULL AND status = 'succeeded'
