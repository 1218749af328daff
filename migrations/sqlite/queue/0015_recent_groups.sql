-- Which messages were accepted lately: a row for each transaction that accepted any, instead of one for each message.
--
-- As before, numbers have no gaps above the last row, which is never removed.

CREATE TABLE recent_groups (
    number   INTEGER NOT NULL PRIMARY KEY,
    messages BLOB    NOT NULL     -- of each 40 octets: its digest (16), its id (16), when it was received (8, milliseconds since 1970)
) STRICT;

-- What was taken back has no id, and is not known any more.
INSERT INTO recent_groups (number, messages)
SELECT number, CASE WHEN length(digest) = 16 AND length(entry) = 16
    THEN unhex(hex(digest) || hex(entry) || printf('%016x', received_at)) ELSE x'' END
FROM recent_messages;
DROP TABLE recent_messages;
