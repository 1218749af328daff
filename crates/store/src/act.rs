//! Who does something to the store, and when: for the log and the audit trail.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use types::{ApiTokenId, Mailbox};

/// Who changes something, by which means, from where, and when. Every change of the store takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who does it.
    pub by: Actor,
    /// By which means.
    pub via: Via,
    /// The address of whoever does it from elsewhere; `None` for the command line and the server.
    pub ip: Option<IpAddr>,
    /// The session that it is done in, as in the log; with the API the token that it is done with.
    pub session: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Act {
    /// What a user of the system does at the command line.
    pub fn command(user: impl Into<String>, at: Timestamp) -> Self {
        Self { by: Actor::Command(user.into()), via: Via::Cli, ip: None, session: None, at }
    }

    /// What the server does by itself.
    #[must_use]
    pub fn server(at: Timestamp) -> Self {
        Self { by: Actor::Server, via: Via::Server, ip: None, session: None, at }
    }

    /// What the owner of the account with this address does while the server serves it.
    #[must_use]
    pub fn account(address: &Mailbox, at: Timestamp) -> Self {
        Self { by: Actor::Account(address.clone()), ..Self::server(at) }
    }

    /// What the owner of the account with this address does on the pages, from there, in the session with this identifier.
    #[must_use]
    pub fn web(address: &Mailbox, ip: IpAddr, session: impl Into<String>, at: Timestamp) -> Self {
        let (ip, session) = (Some(ip), Some(session.into()));
        Self { by: Actor::Account(address.clone()), via: Via::Web, ip, session, at }
    }

    /// What a program does with this API token of the account with this address, from there.
    #[must_use]
    pub fn api(address: &Mailbox, ip: IpAddr, token: ApiTokenId, at: Timestamp) -> Self {
        Self { via: Via::Api, ..Self::web(address, ip, token.to_string(), at) }
    }
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The owner of the account with this address.
    Account(Mailbox),
    /// A user of the system, at the command line: `frank`, or `frank as root`.
    Command(String),
    /// The server itself.
    Server,
}

/// The actor as the audit trail has it. An address stands there in its normal form.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Account(address) => f.write_str(&address.normal()),
            Actor::Command(user) => f.write_str(user),
            Actor::Server => f.write_str("server"),
        }
    }
}

/// By which means something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// A command.
    Cli,
    /// The pages, in a browser.
    Web,
    /// A program, by the API.
    Api,
    /// The running server.
    Server,
}

impl Via {
    /// Every means there is.
    pub const ALL: [Via; 4] = [Via::Cli, Via::Web, Via::Api, Via::Server];

    /// The means as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Via::Cli => "cli",
            Via::Web => "web",
            Via::Api => "api",
            Via::Server => "server",
        }
    }

    /// The means that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Via::ALL.into_iter().find(|via| via.name() == name)
    }
}
