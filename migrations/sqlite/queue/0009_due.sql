-- What is due next, whatever its destination: there may be a hundred thousand of them.
--
-- What is leased from the start never enters it.

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE lease_owner IS NULL AND due_at IS NOT NULL;
