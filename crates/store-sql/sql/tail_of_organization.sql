SELECT tail FROM organization WHERE seq = ?1
