SELECT id FROM head_template WHERE text = ?1
