DELETE FROM change WHERE at < now_ms() - ?1
