SELECT count(*) FROM node WHERE until > now_ms()
