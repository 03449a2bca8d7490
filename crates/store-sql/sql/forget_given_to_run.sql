UPDATE run SET input = ?2, answer = NULL, messages = '[]', console = '[]', effects = '[]' WHERE seq = ?1
