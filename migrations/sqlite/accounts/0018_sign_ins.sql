-- Where accounts are logged in to from, by which credential, and what their owners say about it.

CREATE TABLE sign_ins (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account     BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    credential  TEXT    NOT NULL,          -- as the audit trail has it
    network     TEXT    NOT NULL,          -- CIDR
    ip          TEXT    NOT NULL,          -- of the last time
    scope       TEXT    NOT NULL,          -- of the last time: smtp, master
    first_at    INTEGER NOT NULL,
    at          INTEGER NOT NULL,          -- the last time
    state       TEXT    NOT NULL,          -- known, asked, owner, stranger
    -- Of what was a stranger's:
    answered_at INTEGER,
    label       TEXT,                      -- of the credential
    hold        INTEGER NOT NULL DEFAULT 0,
    held        INTEGER,                   -- how many messages; NULL: not done yet
    listed      INTEGER NOT NULL DEFAULT 0,
    closed_at   INTEGER
) STRICT;

CREATE UNIQUE INDEX sign_ins_place ON sign_ins (account, credential, network) WHERE state <> 'stranger';
CREATE INDEX sign_ins_account ON sign_ins (account, at);
CREATE INDEX sign_ins_at ON sign_ins (at);
CREATE INDEX sign_ins_incidents ON sign_ins (answered_at) WHERE state = 'stranger';

-- What the trail has of IPv4 is known: nobody is asked about every program once, only because this version is new.
INSERT INTO sign_ins (id, account, credential, network, ip, scope, first_at, at, state)
SELECT randomblob(16), a.id, u.credential, u.ip || '/32', u.ip, max(u.scope), min(u.first_at), max(u.at), 'known'
FROM audit u JOIN accounts a ON a.normal = u.account
WHERE u.action = 'login' AND u.result = 'success' AND u.credential <> '' AND u.ip <> '' AND u.ip NOT LIKE '%:%'
  AND u.first_at >= a.created_at AND u.at > (SELECT max(at) FROM audit) - 2592000000
GROUP BY a.id, u.credential, u.ip;

-- What its owner calls an app password is known as long as that it was revoked.
ALTER TABLE revoked_app_passwords ADD COLUMN label TEXT NOT NULL DEFAULT '';
