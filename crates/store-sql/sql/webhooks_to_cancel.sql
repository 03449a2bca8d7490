SELECT seq, tail FROM webhook WHERE deleted_at IS NOT NULL AND cancelled = 0
