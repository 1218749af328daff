-- What operators find messages by, and what they did to them.

ALTER TABLE entries ADD COLUMN message_id TEXT;   -- what the message calls itself, with angle brackets; NULL: nothing
ALTER TABLE entries ADD COLUMN credential TEXT;   -- what it was handed in with, as the audit trail has it; NULL: no login

-- Until the server has told its log.
CREATE TABLE operations (
    number          INTEGER NOT NULL PRIMARY KEY,
    at              INTEGER NOT NULL,
    operation       TEXT    NOT NULL,     -- retry, hold, release, remove
    entry           BLOB    NOT NULL,
    account_address TEXT    NOT NULL,
    message_id      TEXT,
    done_by         TEXT    NOT NULL
) STRICT;
