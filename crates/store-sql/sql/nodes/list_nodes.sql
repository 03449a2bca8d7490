SELECT node.number, node.name, node.version, node.started_at, node.until, leader.node IS NOT NULL, node.id
FROM node LEFT JOIN leader ON leader.node = node.id AND leader.until >= now_ms()
WHERE node.until >= now_ms() ORDER BY node.started_at, node.id
