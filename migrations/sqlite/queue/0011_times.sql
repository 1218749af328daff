-- By when a message is to be delivered, and which of those that wait comes first.

ALTER TABLE entries ADD COLUMN deliver_by INTEGER;                     -- when its time is over (RFC 2852); NULL: never
ALTER TABLE entries ADD COLUMN by_mode    TEXT;                        -- what is done then: R or N, with T if its sender wants to know of every relay
ALTER TABLE entries ADD COLUMN priority   INTEGER NOT NULL DEFAULT 0;  -- from -9 to 9, the greater the sooner (RFC 6710)

ALTER TABLE deliveries ADD COLUMN priority INTEGER NOT NULL DEFAULT 0; -- that of its entry

-- As before, with the priority, so that the first of those that are due are found in it alone.
DROP INDEX deliveries_ready;
CREATE INDEX deliveries_ready ON deliveries (destination, due_at, entry, priority) WHERE lease_owner IS NULL AND due_at IS NOT NULL;
