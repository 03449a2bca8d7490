DELETE FROM listener WHERE until < now_ms() - ?1
