DELETE FROM node WHERE until < now_ms() RETURNING id
