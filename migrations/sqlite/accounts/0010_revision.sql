-- Grows with every change of accounts, credentials, identities and limits, in the transaction that makes it; notes leave it alone.

CREATE TABLE revision (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO revision (one, revision) VALUES (1, 1);
