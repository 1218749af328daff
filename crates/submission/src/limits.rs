//! How much a client may have of the server, and for how long.

use std::time::Duration;

/// Limits of time and number. What a message may be is in [`esmtp::Settings`]. The default ones are good, and each may be set otherwise:
///
/// ```
/// use submission::Limits;
/// let mut limits = Limits::default();
/// limits.connections = 100;
/// ```
///
/// A duration of more than [`LONGEST`](Self::LONGEST) counts as that; whoever wants no limit writes [`Duration::MAX`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time. The last fifth is for clients that log in at once: from there on every new connection takes
    /// the place of the one that has been longest without a login, if it has been five seconds, and when all are taken, if
    /// it has been one.
    pub connections: usize,
    /// Connections at a time from one IPv4 address or one IPv6 /64, which is what one customer is given.
    pub connections_per_network: usize,
    /// For a complete command, since the last reply. RFC 5321 section 4.5.3.2.7 asks for at least 5 minutes.
    pub command_timeout: Duration,
    /// The same before authentication, shorter on purpose: nobody who just connected has to think.
    pub unauthenticated_timeout: Duration,
    /// For all that comes before authentication together.
    pub unauthenticated_session: Duration,
    /// For the next octets of a message.
    pub data_timeout: Duration,
    /// For the octets of a message before its rate counts. RFC 5321 section 4.5.3.2.5: 3 minutes for a block.
    pub data_grace: Duration,
    /// Octets of a message a second, on average, that are enough to go on.
    pub data_rate: u32,
    /// For a message, from MAIL to the end of its text, whatever the pace.
    pub message_time: Duration,
    /// After which no further message is begun in a session.
    pub session: Duration,
    /// For the header with which a trusted proxy begins, from the connection to its last octet.
    pub proxy_header: Duration,
    /// For a TLS handshake, from its first octet to its last.
    pub handshake: Duration,
    /// For a client to take our replies.
    pub write_timeout: Duration,
    /// For a message under way to be finished when the server stops.
    pub shutdown_grace: Duration,
    /// The second failed AUTH of a session is answered this much later, the third twice as much, and so on up to
    /// ten seconds.
    pub failure_delay: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connections: 10_000,
            connections_per_network: 100,
            command_timeout: seconds(300),
            unauthenticated_timeout: seconds(60),
            unauthenticated_session: seconds(300),
            data_timeout: seconds(600),
            data_grace: seconds(180),
            data_rate: 500,
            message_time: seconds(3600),
            session: seconds(3600),
            proxy_header: seconds(5),
            handshake: seconds(15),
            write_timeout: seconds(60),
            shutdown_grace: seconds(30),
            failure_delay: seconds(1),
        }
    }
}

impl Limits {
    /// The most that any duration here comes to: a year. To add more to a point in time may overflow.
    pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

    /// The limits as they are kept: no duration is over [`LONGEST`](Self::LONGEST).
    pub(crate) fn bounded(mut self) -> Self {
        // Every field by name, so that nobody adds a duration and forgets it here.
        let Self {
            connections: _,
            connections_per_network: _,
            data_rate: _,
            command_timeout,
            unauthenticated_timeout,
            unauthenticated_session,
            data_timeout,
            data_grace,
            message_time,
            session,
            proxy_header,
            handshake,
            write_timeout,
            shutdown_grace,
            failure_delay,
        } = &mut self;
        for duration in [
            command_timeout,
            unauthenticated_timeout,
            unauthenticated_session,
            data_timeout,
            data_grace,
            message_time,
            session,
            proxy_header,
            handshake,
            write_timeout,
            shutdown_grace,
            failure_delay,
        ] {
            *duration = (*duration).min(Self::LONGEST);
        }
        self
    }
}
