SELECT 1 FROM source WHERE project = ?1 AND name = ?2 AND seq <> ?3 AND deleted_at IS NULL
