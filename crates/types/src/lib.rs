//! The words everyone shares: mailboxes, paths, domains, identifiers, secrets.
