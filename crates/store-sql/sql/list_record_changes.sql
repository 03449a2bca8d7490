SELECT version, data, cause, at FROM record_change
WHERE project = ?1 AND kind = ?2 AND key = ?3 AND version < ?4
ORDER BY version DESC LIMIT ?5
