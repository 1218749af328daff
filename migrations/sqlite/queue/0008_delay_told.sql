-- That a recipient is late is told of each: deliveries of one message are late at different times.

ALTER TABLE recipients ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0;   -- its sender knows that it is late
UPDATE recipients SET delay_told = 1 WHERE entry IN (SELECT id FROM entries WHERE delay_told);
ALTER TABLE entries DROP COLUMN delay_told;

-- What came from nobody, so that nobody can be told when it fails: it is forgotten in time.
CREATE INDEX entries_from_nobody ON entries (accepted_at) WHERE reverse_path = '<>' AND settled_at IS NULL;
