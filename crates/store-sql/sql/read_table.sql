SELECT {columns} FROM {table} {after} ORDER BY {key} LIMIT {limit}
