-- How pages are shown to the owner of an account; NULL: as the browser, or the server, has it.

ALTER TABLE accounts ADD COLUMN language TEXT;
ALTER TABLE accounts ADD COLUMN time_zone TEXT;
ALTER TABLE accounts ADD COLUMN colours TEXT;
