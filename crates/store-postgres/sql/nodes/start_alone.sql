-- Starts, and so what the first of them makes, come one after another.
SELECT pg_advisory_xact_lock(1415870056)
