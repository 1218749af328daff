-- By which means was done what the audit trail tells: cli, server; empty: not told. done_by is who did it, at the command line or elsewhere.

ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT '';

UPDATE audit SET via = 'cli' WHERE done_by <> '';
