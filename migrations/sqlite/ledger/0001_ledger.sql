-- What was sent, and what became of it. Ids are 16 octets, times are milliseconds since 1970, addresses have no angle brackets.
--
-- Rows are written behind the mail, by several processes, in whatever order: none needs one of another table, and to write one twice
-- changes nothing. What is written of a message is not the queue's: see docs/decisions.

CREATE TABLE messages (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account         BLOB    NOT NULL,
    account_address TEXT    NOT NULL,     -- at the time
    credential      TEXT,                 -- as the audit trail has it; NULL: no login, or a report
    session         TEXT,
    ip              TEXT,
    tls_version     TEXT,
    tls_cipher      TEXT,
    sender          TEXT    NOT NULL,     -- '': <>
    message_id      TEXT,                 -- with angle brackets
    size            INTEGER NOT NULL,     -- octets
    accepted_at     INTEGER NOT NULL,
    recipients      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids begin with the time: each index gives a page in the order of the list.
CREATE INDEX messages_account ON messages (account, id);
CREATE INDEX messages_address ON messages (lower(account_address), id);
CREATE INDEX messages_credential ON messages (lower(credential), id) WHERE credential IS NOT NULL;
CREATE INDEX messages_message_id ON messages (message_id, id) WHERE message_id IS NOT NULL;

CREATE TABLE recipients (
    message         BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    state           TEXT    NOT NULL,     -- queued, deferred, held, delivered, failed
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER,
    last_reply      TEXT,
    last_host       TEXT,
    done_at         INTEGER,              -- when it was delivered or failed; NULL: it was not, or that was found out later
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX recipients_address ON recipients (lower(address), message);

-- Attempts that did not deliver.
CREATE TABLE attempts (
    message   BLOB    NOT NULL,
    recipient INTEGER NOT NULL,           -- its number
    attempt   INTEGER NOT NULL,           -- from 1
    at        INTEGER NOT NULL,
    state     TEXT    NOT NULL,           -- of the recipient afterwards
    reply     TEXT    NOT NULL,
    host      TEXT,
    PRIMARY KEY (message, recipient, attempt)
) STRICT, WITHOUT ROWID;

-- What was done about messages.
CREATE TABLE operations (
    message   BLOB    NOT NULL,
    at        INTEGER NOT NULL,
    operation TEXT    NOT NULL,           -- retry, hold, release, bounce, remove, undo, stop
    done_by   TEXT    NOT NULL,
    PRIMARY KEY (message, at, operation)
) STRICT, WITHOUT ROWID;

-- What is noted and waits for its rows: under load there is no time for them.
CREATE TABLE backlog (
    number INTEGER NOT NULL PRIMARY KEY,
    notes  TEXT    NOT NULL               -- JSON
) STRICT;
