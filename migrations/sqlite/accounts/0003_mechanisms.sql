-- Challenge keys and client certificates.

-- What answers to challenges are checked with; each goes with the password that it was made of.
CREATE TABLE challenge_keys (
    kind       TEXT    NOT NULL,          -- cram-md5, scram-sha-256
    account    BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    credential BLOB    REFERENCES app_passwords (id) ON DELETE CASCADE,   -- NULL: the account password
    made_at    INTEGER NOT NULL,          -- also the version that is sealed with it
    sealed     BLOB    NOT NULL
) STRICT;

-- One of a kind for each password: NULLs alone would not be the same.
CREATE UNIQUE INDEX challenge_keys_password ON challenge_keys (account, kind, coalesce(credential, x''));
CREATE INDEX challenge_keys_credential ON challenge_keys (credential);

-- Whose certificates clients log in with.
CREATE TABLE certificates (
    fingerprint    BLOB    NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32),   -- SHA-256
    account        BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    label          TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER,
    last_used_at   INTEGER,
    last_used_ip   TEXT,
    last_mechanism TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX certificates_account ON certificates (account, created_at);
