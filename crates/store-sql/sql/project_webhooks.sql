SELECT seq FROM webhook WHERE project = ?1
