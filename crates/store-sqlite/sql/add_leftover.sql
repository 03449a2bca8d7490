INSERT OR IGNORE INTO leftover (project) VALUES (?1)
