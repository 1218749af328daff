-- A row for each different failure, so that one is counted without the others being written again.

CREATE TABLE throttles (
    id      INTEGER NOT NULL PRIMARY KEY,  -- grows with each that begins
    kind    TEXT    NOT NULL,              -- password, password-day, totp, totp-day, network
    account TEXT    NOT NULL,              -- as typed, in normal form, whether it exists or not; empty: any
    network TEXT    NOT NULL,              -- CIDR; empty: any
    until   INTEGER NOT NULL,              -- when it begins anew
    UNIQUE (kind, account, network)
) STRICT;

CREATE INDEX throttles_until ON throttles (until, kind, account, network);

CREATE TABLE throttle_marks (
    throttle INTEGER NOT NULL REFERENCES throttles (id) ON DELETE CASCADE,
    account  BLOB    NOT NULL CHECK (length(account) = 8),   -- keyed
    secret   BLOB    NOT NULL CHECK (length(secret) = 8),    -- keyed
    PRIMARY KEY (throttle, account, secret)
) STRICT, WITHOUT ROWID;

INSERT INTO throttles (id, kind, account, network, until)
    SELECT rowid, kind, account, network, until FROM throttle WHERE length(marks) > 0;

INSERT INTO throttle_marks (throttle, account, secret)
    WITH RECURSIVE mark (throttle, marks, place) AS (
        SELECT rowid, marks, 1 FROM throttle WHERE length(marks) > 0
        UNION ALL SELECT throttle, marks, place + 16 FROM mark WHERE place + 16 < length(marks)
    )
    SELECT throttle, substr(marks, place, 8), substr(marks, place + 8, 8) FROM mark
    WHERE true ON CONFLICT DO NOTHING;

DROP TABLE throttle;
