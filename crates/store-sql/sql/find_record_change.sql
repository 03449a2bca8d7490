SELECT version FROM record_change WHERE delivery = ?1
