UPDATE receipt SET revision = ?2 WHERE seq = ?1
