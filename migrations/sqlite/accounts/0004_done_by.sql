-- Who did at the command line what the audit trail tells; empty: not known.

ALTER TABLE audit ADD COLUMN done_by TEXT NOT NULL DEFAULT '';
