SELECT seq FROM project WHERE organization = ?1 AND deleted_at IS NULL
