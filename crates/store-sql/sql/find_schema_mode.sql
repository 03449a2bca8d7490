SELECT schema_mode FROM organization WHERE seq = ?1
