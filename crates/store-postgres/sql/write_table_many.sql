INSERT INTO {table} ({columns}) SELECT * FROM unnest({values})
