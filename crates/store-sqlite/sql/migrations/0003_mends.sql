-- Hours and acts of long ago are forgotten; nobody walks over a table to find them.
CREATE INDEX webhook_hour_by_hour ON webhook_hour (hour);
