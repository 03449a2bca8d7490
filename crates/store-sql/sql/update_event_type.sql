UPDATE event_type SET group_name = ?3, description = ?4, example = ?5, archived = ?6
WHERE organization = ?1 AND name = ?2
