DELETE FROM news WHERE node = ?1 RETURNING number, project, news
