-- Who is signed in in a browser. Nothing here opens anything: a cookie has the token, and here is its keyed digest.

CREATE TABLE web_sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),   -- keyed
    account      BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    version      INTEGER NOT NULL,          -- of the account, when it was opened or renewed; with another version it is over
    made_at      INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,          -- when it was last used, within a minute
    confirmed_at INTEGER NOT NULL,          -- when its owner last showed the password
    ends_at      INTEGER NOT NULL,          -- however much it is used
    ip           TEXT    NOT NULL,          -- where it was opened from
    agent        TEXT    NOT NULL           -- the browser, as it calls itself
) STRICT;

CREATE INDEX web_sessions_account ON web_sessions (account, made_at);
