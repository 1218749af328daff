-- What senders are still to be told, so that one report tells of all recipients of whom there is news at about the same time. While there is
-- any, the message has a delivery to the destination 'sender', which is due at the earliest tell_at.

ALTER TABLE recipients ADD COLUMN news         TEXT;                        -- refused, given-up, returned, late, delivered, relayed; NULL: nothing
ALTER TABLE recipients ADD COLUMN tell_at      INTEGER;                     -- when it is told at the latest; NULL if there is no news
ALTER TABLE recipients ADD COLUMN said_by_host INTEGER NOT NULL DEFAULT 0;  -- last_reply is the host's own
ALTER TABLE recipients ADD COLUMN tried_at     INTEGER;                     -- the last attempt; NULL: none, or not known
