SELECT project FROM leftover ORDER BY project LIMIT 1
