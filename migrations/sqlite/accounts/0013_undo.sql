-- How long its messages can be taken back, in milliseconds; NULL: as long as the configuration says.

ALTER TABLE accounts ADD COLUMN undo_ms INTEGER;
