-- App passwords that were revoked, so that the log can tell the device that goes on with one from a guesser.
CREATE TABLE revoked_app_passwords (
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),   -- keyed
    credential BLOB    NOT NULL CHECK (length(credential) = 16),
    account    BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_app_passwords_account ON revoked_app_passwords (account);
CREATE INDEX revoked_app_passwords_at ON revoked_app_passwords (revoked_at);
