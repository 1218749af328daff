-- What a message needs on its way out. From here on eight_bit and smtputf8 are what was found in it, not what was declared.

ALTER TABLE entries ADD COLUMN must_be_rewritten INTEGER NOT NULL DEFAULT 0;   -- re-encoded whichever way it leaves
