SELECT logo FROM portal WHERE project = ?1
