-- One of a kind for each password, said as every database understands it. To an index NULLs are not the same: those of account passwords
-- have one of their own.

DROP INDEX challenge_keys_password;
CREATE UNIQUE INDEX challenge_keys_password ON challenge_keys (account, kind, credential);
CREATE UNIQUE INDEX challenge_keys_account_password ON challenge_keys (account, kind) WHERE credential IS NULL;
