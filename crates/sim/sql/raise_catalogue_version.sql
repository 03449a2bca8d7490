-- An organization's; nobody changes the instance's catalogue in a simulation.
UPDATE organization SET version = version + 1 WHERE seq = ?1
