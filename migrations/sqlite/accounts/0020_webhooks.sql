-- Whom the server tells of what happens, by HTTPS.

CREATE TABLE webhooks (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    url           TEXT    NOT NULL,
    events        TEXT    NOT NULL,          -- separated by spaces
    sealed        BLOB    NOT NULL,          -- the secret that deliveries are signed with
    created_at    INTEGER NOT NULL,
    failing_since INTEGER,                   -- since when no delivery was taken, if the last was not
    disabled_at   INTEGER                    -- when it was switched off, because none was
) STRICT;

CREATE TABLE webhook_deliveries (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    webhook      BLOB    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event        TEXT    NOT NULL,
    body         TEXT    NOT NULL,           -- JSON, as it is sent
    made_at      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    next_at      INTEGER,                    -- when it is tried next; NULL: not any more
    leased_until INTEGER NOT NULL,           -- somebody is trying it until then
    delivered_at INTEGER,                    -- NULL: it was not taken
    status       INTEGER,                    -- the last answer
    said         TEXT                        -- what went wrong before there was one
) STRICT;

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_of ON webhook_deliveries (webhook, id);
CREATE INDEX webhook_deliveries_made ON webhook_deliveries (made_at);

-- How far the audit trail was looked through for what webhooks are told of.
CREATE TABLE webhook_place (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seen INTEGER NOT NULL                    -- the number of the last entry
) STRICT;

INSERT INTO webhook_place (one, seen) VALUES (1, 0);
