SELECT kind, key, data, version, updated_at FROM record WHERE project = ?1 AND kind = ?2 AND key = ?3
