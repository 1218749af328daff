-- Deliveries, one for each destination of a message, and the nodes that lease them.
--
-- A lease has no end and names a node, not a host: it is good as long as the node is in nodes. Leases of earlier versions end here.

CREATE TABLE nodes (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),   -- another one after each start
    name       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows go when their entry does.
CREATE TABLE deliveries (
    entry       BLOB    NOT NULL,
    destination TEXT    NOT NULL,            -- '': to be found out from the routes
    due_at      INTEGER,                     -- the earliest next_attempt_at of its recipients; NULL if there is none, or the entry is held
    lease_owner BLOB,                        -- in nodes
    lease_token INTEGER NOT NULL,            -- goes up with each lease
    PRIMARY KEY (entry, destination)
) STRICT, WITHOUT ROWID;

-- What is leased from the start never enters it.
CREATE INDEX deliveries_ready ON deliveries (destination, due_at) WHERE lease_owner IS NULL AND due_at IS NOT NULL;

-- Their destinations come from the configuration, and are found out when they are due first.
ALTER TABLE recipients ADD COLUMN destination TEXT NOT NULL DEFAULT '';
INSERT INTO deliveries (entry, destination, due_at, lease_token)
SELECT id, '', CASE WHEN held THEN NULL ELSE (SELECT min(next_attempt_at) FROM recipients WHERE entry = entries.id) END, 0
FROM entries;

DROP INDEX entries_due;
ALTER TABLE entries DROP COLUMN due_at;
ALTER TABLE entries DROP COLUMN lease_owner;
