-- What domains demand of those who send them mail (MTA-STS, RFC 8461), as it was fetched. To forget one before its time would let anybody
-- on the way read the mail.

CREATE TABLE sts_policies (
    domain     TEXT    NOT NULL PRIMARY KEY,  -- A-labels in lower case
    id         TEXT    NOT NULL,              -- of the TXT record that it was fetched for
    text       TEXT    NOT NULL,              -- as the policy host has it
    fetched_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL               -- when mail was last sent by it, within a day
) STRICT, WITHOUT ROWID;
