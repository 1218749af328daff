-- Which messages were accepted lately, so that one is known that is handed in again because its 250 was lost. It outlives its entry.
--
-- Numbers have no gaps above the last row, which is never removed: a writer that another one has overtaken takes a number that is
-- there, is refused, and reads what is new.

CREATE TABLE recent_messages (
    number      INTEGER NOT NULL PRIMARY KEY,
    digest      BLOB    NOT NULL,     -- of what is the same when a message is handed in again
    entry       BLOB    NOT NULL,     -- its id
    received_at INTEGER NOT NULL
) STRICT;
