-- What of an account's limits is lent to a server, which may send it in these windows without asking.

ALTER TABLE sent ADD COLUMN lent_hour_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN lent_hour_recipients INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN lent_day_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN lent_day_recipients INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN lent_day_new_recipients INTEGER NOT NULL DEFAULT 0;
