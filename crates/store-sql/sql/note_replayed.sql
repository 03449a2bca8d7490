INSERT INTO replayed_delivery (event, delivery, project) VALUES (?1, ?2, ?3)
