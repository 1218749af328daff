-- Links that set up a device, or invite somebody to choose the password of their account. Nothing here opens anything: here is the keyed digest of
-- a link. The app password of a device is made when its link is used.

CREATE TABLE enrolments (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),   -- keyed
    account      BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,          -- device, invitation
    version      INTEGER NOT NULL,          -- of the account, when it was made; the link of a device is over with another
    factor_lost  INTEGER NOT NULL,          -- of an invitation: whether the second factor goes without its code
    label        TEXT    NOT NULL,          -- of the app password that is to be made; empty of an invitation, and so are these
    expires_at   INTEGER,                   -- when the app password ends
    networks     TEXT    NOT NULL,          -- where it may be used from, with blanks between
    senders      TEXT    NOT NULL,          -- whom it may send as, one a line
    made_at      INTEGER NOT NULL,
    made_by      TEXT    NOT NULL,
    ends_at      INTEGER NOT NULL,
    opened_at    INTEGER,                   -- when somebody first looked at it
    withdrawn_at INTEGER,
    used_at      INTEGER,                   -- with the columns below
    used_ip      TEXT,
    used_agent   TEXT,                      -- the browser, as it calls itself
    used_browser BLOB,                      -- what it is known again by, keyed
    credential   BLOB                       -- the app password that was made
) STRICT;

CREATE INDEX enrolments_account ON enrolments (account, made_at);
CREATE INDEX enrolments_ends ON enrolments (ends_at);
