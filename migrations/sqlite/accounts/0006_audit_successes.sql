-- Finds how many successes of an account were entered within an hour.

CREATE INDEX audit_successes ON audit (account, first_at) WHERE result = 'success';
