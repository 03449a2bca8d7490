-- What a deleted one has left ends by itself, and is nobody's to look at.
SELECT seq, status <> 0 FROM webhook WHERE project = ?1 AND (?2 IS NULL OR seq = ?2) AND deleted_at IS NULL
