//! What can go wrong on a connection, in kinds that can be counted.

use std::fmt;
use std::io;

/// Why a session ended early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No TCP connection.
    Connect(io::ErrorKind),
    /// The TLS handshake failed.
    Tls(String),
    /// The connection broke.
    Io(io::ErrorKind),
    /// The server closed before it answered this command.
    Closed(&'static str),
    /// No answer to this command in time.
    Timeout(&'static str),
    /// Another code than the one hoped for.
    Reply(&'static str, u16),
    /// Not a reply at all (RFC 5321 section 4.2).
    Garbage(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(kind) => write!(f, "connect: {kind}"),
            Self::Tls(error) => write!(f, "tls: {error}"),
            Self::Io(kind) => write!(f, "connection: {kind}"),
            Self::Closed(verb) => write!(f, "{verb}: closed"),
            Self::Timeout(verb) => write!(f, "{verb}: timeout"),
            Self::Reply(verb, code) => write!(f, "{verb}: {code}"),
            Self::Garbage(verb) => write!(f, "{verb}: not a reply"),
        }
    }
}
