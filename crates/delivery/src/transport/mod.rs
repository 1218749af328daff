//! The ways in which mail leaves, each a transport: files in a Maildir, SMTP to a fixed host.

pub(crate) mod outgoing;
pub(crate) mod maildir;
pub(crate) mod smtp;
