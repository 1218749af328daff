-- Ids are 16 octets, times are milliseconds since 1970.

CREATE TABLE accounts (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    address       TEXT    NOT NULL,          -- as its owner writes it
    normal        TEXT    NOT NULL UNIQUE,   -- the one form that addresses are compared in
    name          TEXT,
    admin         INTEGER NOT NULL,
    disabled      INTEGER NOT NULL,
    password_hash TEXT,                      -- a PHC string
    version       INTEGER NOT NULL,          -- grows with every change of password, address or disabled
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;

CREATE TABLE app_passwords (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account        BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    digest         BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),   -- keyed; says nothing about the password
    label          TEXT    NOT NULL,
    scopes         TEXT    NOT NULL,         -- separated by a space
    networks       TEXT    NOT NULL,         -- CIDR, separated by a space; empty: everywhere
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER,
    last_used_at   INTEGER,
    last_used_ip   TEXT,
    last_mechanism TEXT
) STRICT;

CREATE INDEX app_passwords_account ON app_passwords (account, created_at);
