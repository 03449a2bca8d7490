SELECT seq FROM organization WHERE deleted_at IS NULL
