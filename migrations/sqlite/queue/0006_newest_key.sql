-- Which master key is the newest that a node has, as it has told: a key is activated when every node has it. NULL: it has told nothing.

ALTER TABLE nodes ADD COLUMN newest_key INTEGER;           -- the number of the key in the key file
ALTER TABLE nodes ADD COLUMN newest_key_digest BLOB;       -- tells keys of the same number apart
