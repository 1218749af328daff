-- Keys that sign the mail of a domain.

CREATE TABLE dkim_keys (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    domain       TEXT    NOT NULL,          -- A-labels in lower case
    selector     TEXT    NOT NULL,
    algorithm    TEXT    NOT NULL,          -- rsa, ed25519
    created_at   INTEGER NOT NULL,          -- also the version that is sealed with it
    activated_at INTEGER,                   -- NULL: it has never signed
    retired_at   INTEGER,                   -- NULL: it signs, if it was activated
    public_key   BLOB    NOT NULL,
    sealed       BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX dkim_keys_name ON dkim_keys (domain, selector);
-- Of a domain one key of each algorithm signs.
CREATE UNIQUE INDEX dkim_keys_active ON dkim_keys (domain, algorithm) WHERE activated_at IS NOT NULL AND retired_at IS NULL;
