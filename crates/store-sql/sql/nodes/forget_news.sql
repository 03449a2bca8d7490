-- Whoever wanted it has gone.
DELETE FROM news WHERE at < now_ms() - ?1
