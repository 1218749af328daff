//! `[limits]`: what one client may take of the server.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Size, Time};

/// What one client may take of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message, as SIZE says (RFC 1870).
    pub message_size: u64,
    /// Recipients of a message.
    pub recipients: u32,
    /// Messages in one connection.
    pub messages_per_connection: u32,
    /// A message, from MAIL to the end of its text.
    pub message_time: Duration,
    /// Octets of one account in messages that have not ended.
    pub unfinished: u64,
    /// Connections at once.
    pub connections: u32,
    /// Connections at once from one IPv4 address or IPv6 /64.
    pub connections_per_network: u32,
    /// Silence between commands.
    pub command_timeout: Duration,
    /// Silence within a message.
    pub data_timeout: Duration,
    /// How long running transactions may take at shutdown.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_size: 35 << 20,
            recipients: 1000,
            messages_per_connection: 1000,
            message_time: Duration::from_secs(3600),
            unfinished: 256 << 20,
            connections: 10_000,
            connections_per_network: 100,
            command_timeout: Duration::from_secs(300), // RFC 5321 section 4.5.3.2.7
            data_timeout: Duration::from_secs(600),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// No network takes longer than a day for a message.
const MESSAGE_TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    message_size: Option<Spanned<Size>>,
    recipients: Option<Spanned<i64>>,
    messages_per_connection: Option<Spanned<i64>>,
    message_time: Option<Spanned<Time>>,
    unfinished: Option<Spanned<Size>>,
    connections: Option<Spanned<i64>>,
    connections_per_network: Option<Spanned<i64>>,
    command_timeout: Option<Spanned<Time>>,
    data_timeout: Option<Spanned<Time>>,
    shutdown_grace: Option<Spanned<Time>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Limits, Fault> {
        let default = Limits::default();
        let timeout = Duration::from_secs(1)..=Duration::from_secs(3600);
        // RFC 5321 section 4.5.3.1.7: at least 64 KiB.
        let message_size = value::size(self.message_size, default.message_size, 64 << 10..=2 << 30)?;
        Ok(Limits {
            message_size,
            recipients: value::number(self.recipients, default.recipients, 1..=10_000)?,
            messages_per_connection: value::number(
                self.messages_per_connection,
                default.messages_per_connection,
                1..=1_000_000,
            )?,
            message_time: value::time(self.message_time, default.message_time, MESSAGE_TIME)?,
            // Any one message must be able to end.
            unfinished: value::size(
                self.unfinished,
                default.unfinished.max(message_size),
                message_size..=1 << 40,
            )?,
            connections: value::number(self.connections, default.connections, 1..=1_000_000)?,
            connections_per_network: value::number(
                self.connections_per_network,
                default.connections_per_network,
                1..=1_000_000,
            )?,
            command_timeout: value::time(self.command_timeout, default.command_timeout, timeout.clone())?,
            data_timeout: value::time(self.data_timeout, default.data_timeout, timeout.clone())?,
            shutdown_grace: value::time(self.shutdown_grace, default.shutdown_grace, timeout)?,
        })
    }
}
