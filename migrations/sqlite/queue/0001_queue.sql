-- Ids are 16 octets, times are milliseconds since 1970, paths have their angle brackets.
--
-- One row of entries is one accepted message. What belongs to it in the other tables is written and deleted in the
-- same transaction, so none has a row without it.

CREATE TABLE entries (
    number          INTEGER NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    account         BLOB    NOT NULL,
    account_address TEXT    NOT NULL,
    reverse_path    TEXT    NOT NULL,
    eight_bit       INTEGER NOT NULL,     -- BODY=8BITMIME
    smtputf8        INTEGER NOT NULL,
    accepted_at     INTEGER NOT NULL,
    size            INTEGER NOT NULL,     -- octets of the message
    recipients      INTEGER NOT NULL,
    held            INTEGER NOT NULL,     -- waits for an operator
    due_at          INTEGER,              -- when somebody has to look at it: the next attempt, or the end of its lease
    lease_owner     TEXT,
    content_crc     INTEGER NOT NULL,
    envelope_crc    INTEGER NOT NULL,     -- of everything that never changes
    in_file         INTEGER NOT NULL      -- the message is the file spool/ID; otherwise it is in contents
) STRICT;

CREATE INDEX entries_due ON entries (due_at, lease_owner, held) WHERE due_at IS NOT NULL;
CREATE INDEX entries_in_file ON entries (id) WHERE in_file = 1;

-- Apart from entries: to change a row is to write all of it, and every lease changes one.
CREATE TABLE contents (
    number  INTEGER NOT NULL PRIMARY KEY REFERENCES entries (number) ON DELETE CASCADE,
    content BLOB    NOT NULL
) STRICT;

CREATE TABLE recipients (
    entry           BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    forward_path    TEXT    NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'queued',   -- queued, deferred, delivered, failed
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,                             -- NULL once delivered or failed
    last_reply      TEXT,
    last_host       TEXT,
    PRIMARY KEY (entry, number)
) STRICT, WITHOUT ROWID;
