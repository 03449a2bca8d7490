SELECT seq FROM event WHERE project = ?1 AND custom_id = ?2
