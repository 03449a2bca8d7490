UPDATE source SET rejected = rejected + ?2, duplicates = duplicates + ?3 WHERE seq = ?1
