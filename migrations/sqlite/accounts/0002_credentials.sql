-- Identities, second factors, sealed secrets, throttles, sending, audit.

-- In whose names an app password may send, one a line; empty: in all that its account may.
ALTER TABLE app_passwords ADD COLUMN senders TEXT NOT NULL DEFAULT '';

-- App passwords brought from another server, of which only a slow hash is known. The row in app_passwords has a random
-- digest, which no password has, until the first login gives it the right one.
CREATE TABLE imported_app_passwords (
    credential BLOB NOT NULL PRIMARY KEY REFERENCES app_passwords (id) ON DELETE CASCADE,
    selector   BLOB NOT NULL CHECK (length(selector) = 32),   -- keyed; finds it without telling its first letters
    hash       TEXT NOT NULL
) STRICT;

CREATE INDEX imported_app_passwords_selector ON imported_app_passwords (selector);

-- Whom an account may send as besides itself.
CREATE TABLE identities (
    account    BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    normal     TEXT    NOT NULL,          -- the one form that senders are compared in
    sender     TEXT    NOT NULL,          -- an address, or *@domain
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, normal)
) STRICT, WITHOUT ROWID;

-- The second factor (RFC 6238). It is on once it is confirmed.
CREATE TABLE totp (
    account      BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    seed         BLOB    NOT NULL,        -- sealed
    enrolled_at  INTEGER NOT NULL,        -- also the version that is sealed with it
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL         -- this step and those before are used up
) STRICT;

CREATE TABLE recovery_codes (
    account BLOB NOT NULL REFERENCES totp (account) ON DELETE CASCADE,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),         -- keyed
    PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

-- Keys of the server's own, sealed under the master key.
CREATE TABLE server_keys (
    purpose TEXT NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT;

-- Failed logins that still count.
CREATE TABLE throttle (
    kind    TEXT    NOT NULL,             -- password, totp, network
    account TEXT    NOT NULL,             -- as typed, in normal form, whether it exists or not; empty: any
    network TEXT    NOT NULL,             -- CIDR; empty: any
    until   INTEGER NOT NULL,
    marks   BLOB    NOT NULL,             -- 16 octets for each different failure, keyed
    UNIQUE (kind, account, network)
) STRICT;

CREATE INDEX throttle_until ON throttle (until);

-- Where an account has logged in from.
CREATE TABLE familiar_networks (
    account BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    network TEXT    NOT NULL,
    at      INTEGER NOT NULL,          -- the last time
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;

CREATE INDEX familiar_networks_at ON familiar_networks (at);

-- What an account may send, where that is not what the configuration says: NULL the configuration, -1 no limit.
CREATE TABLE sending_limits (
    account                BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    messages_per_hour      INTEGER,
    messages_per_day       INTEGER,
    recipients_per_hour    INTEGER,
    recipients_per_day     INTEGER,
    new_recipients_per_day INTEGER
) STRICT;

-- What an account has sent in the hour and in the day that began at these times.
CREATE TABLE sent (
    account            BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hour               INTEGER NOT NULL,
    hour_messages      INTEGER NOT NULL,
    hour_recipients    INTEGER NOT NULL,
    day                INTEGER NOT NULL,
    day_messages       INTEGER NOT NULL,
    day_recipients     INTEGER NOT NULL,
    day_new_recipients INTEGER NOT NULL
) STRICT;

-- Whom an account has sent to before.
CREATE TABLE correspondents (
    account   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    recipient BLOB    NOT NULL CHECK (length(recipient) = 16),   -- keyed
    at        INTEGER NOT NULL,          -- the last time, to within a day
    PRIMARY KEY (account, recipient)
) STRICT, WITHOUT ROWID;

CREATE INDEX correspondents_at ON correspondents (at);

-- What happened, by whom, whence. Repeats within an hour are one row with a count.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    first_at   INTEGER NOT NULL,
    at         INTEGER NOT NULL,          -- the last time
    count      INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    result     TEXT    NOT NULL,          -- success, failure
    reason     TEXT    NOT NULL,
    account    TEXT    NOT NULL,          -- normal form of the address; empty: none
    credential TEXT    NOT NULL,
    mechanism  TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    tls        TEXT    NOT NULL,
    session    TEXT    NOT NULL           -- of the last time
) STRICT;

CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_same ON audit (account, ip, action, reason, credential, mechanism, scope, tls, first_at);
CREATE INDEX audit_failures ON audit (first_at) WHERE result = 'failure';
