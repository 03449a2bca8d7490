-- Gone, if there is no row: somebody took it for dead.
UPDATE node SET until = now_ms() + ?2, heard = ?3 WHERE id = ?1 RETURNING heard
