-- How TLS went with the hosts of other domains, for the reports that these want to have of it (TLS-RPT, RFC 8460). Days are numbered from
-- 1970-01-01, in UTC.

CREATE TABLE tls_results (
    day         INTEGER NOT NULL,
    domain      TEXT    NOT NULL,     -- of the recipients, in A-labels and lower case
    policy      TEXT    NOT NULL,     -- sts, tlsa, no-policy-found
    policy_text TEXT    NOT NULL,     -- its lines, or records
    failure     TEXT    NOT NULL,     -- the type of RFC 8460 section 4.3; '': none, TLS went as it should
    host        TEXT    NOT NULL,     -- the mail host
    ip          TEXT    NOT NULL,     -- its address
    sent_from   TEXT    NOT NULL,     -- ours
    reason      TEXT    NOT NULL,     -- in words
    sessions    INTEGER NOT NULL,
    PRIMARY KEY (day, domain, policy, policy_text, failure, host, ip, sent_from, reason)
) STRICT, WITHOUT ROWID;

-- Reports that are made, or about to be.
CREATE TABLE tls_reports (
    day    INTEGER NOT NULL,
    domain TEXT    NOT NULL,
    PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;
