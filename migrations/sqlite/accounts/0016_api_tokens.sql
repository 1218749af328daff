-- What programs ask the API with. Nothing here opens anything: a program has the token, and here is its keyed digest.

CREATE TABLE api_tokens (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account      BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),   -- keyed
    label        TEXT    NOT NULL,          -- where it is in use, in its owner's words
    scopes       TEXT    NOT NULL,          -- separated by spaces
    networks     TEXT    NOT NULL,          -- separated by spaces; everywhere if empty
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER,                   -- within a minute
    last_used_ip TEXT
) STRICT;

CREATE INDEX api_tokens_account ON api_tokens (account, created_at);

-- Requests that a program may repeat without doing something twice, and what they were answered.

CREATE TABLE idempotent_requests (
    token   BLOB    NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    key     TEXT    NOT NULL,               -- as the program has named the request
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),   -- of the request
    made_at INTEGER NOT NULL,
    status  INTEGER,                        -- of the answer; NULL while there is none
    body    BLOB,                           -- of the answer, without its secrets
    PRIMARY KEY (token, key)
) STRICT;

CREATE INDEX idempotent_requests_made ON idempotent_requests (made_at);
