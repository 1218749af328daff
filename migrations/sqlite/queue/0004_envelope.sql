-- How a message came, when it may leave, and what its sender wants to be told. NULL: not known, or not said, as of all that was
-- accepted before this.

ALTER TABLE entries ADD COLUMN session     TEXT;      -- as logs and the audit trail have it
ALTER TABLE entries ADD COLUMN ip          TEXT;      -- where its client connected from
ALTER TABLE entries ADD COLUMN tls_version TEXT;
ALTER TABLE entries ADD COLUMN tls_cipher  TEXT;
ALTER TABLE entries ADD COLUMN not_before  INTEGER;   -- no attempt before this
ALTER TABLE entries ADD COLUMN ret         TEXT;      -- FULL, HDRS (RFC 3461 section 4.3)
ALTER TABLE entries ADD COLUMN envid       TEXT;      -- decoded

ALTER TABLE recipients ADD COLUMN notify TEXT;        -- NEVER, or of SUCCESS, FAILURE, DELAY (RFC 3461 section 4.1)
ALTER TABLE recipients ADD COLUMN orcpt  TEXT;        -- decoded: rfc822;bob@example.net
