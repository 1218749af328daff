-- What senders have been told, and messages that are done with though not everybody got them.

ALTER TABLE recipients ADD COLUMN told     INTEGER NOT NULL DEFAULT 0;   -- nobody is to be told any more that it failed
ALTER TABLE entries    ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0; -- its sender knows that it is late
ALTER TABLE entries    ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;   -- an operator has ended all attempts
ALTER TABLE entries    ADD COLUMN settled_at INTEGER;                    -- when all was delivered or failed and told; its message is gone

CREATE INDEX entries_settled ON entries (settled_at) WHERE settled_at IS NOT NULL;
