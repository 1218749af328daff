//! What a listener offers and demands, the same for all of its sessions.

use sasl::Mechanism;
use types::{BareLineEnds, Priority};

/// The settings of a listener's sessions. [`Settings::new`] has good ones, of which some may be set otherwise:
///
/// ```
/// use esmtp::Settings;
/// let mut settings = Settings::new("mail.example.org");
/// settings.recipients = 20;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The name in the greeting and in the reply to EHLO.
    pub hostname: String,
    /// The words of the greeting, behind the name and `ESMTP`. They are one line: control characters in them are left out.
    pub greeting: String,
    /// STARTTLS is offered to a session that is not yet under TLS.
    pub starttls: bool,
    /// STARTTLS is not announced by EHLO, and yet taken from clients that try it: for old ones that break over it.
    pub hide_starttls: bool,
    /// AUTH is allowed without TLS. For development alone.
    pub allow_insecure: bool,
    /// The mechanisms that are offered, in this order.
    pub mechanisms: Vec<Mechanism>,
    /// What a client is told that hands in mail without having logged in.
    pub required_message: String,
    /// The largest message, in octets (RFC 1870).
    pub message_size: u64,
    /// The most recipients of a message.
    pub recipients: usize,
    /// The most messages in one connection, announced as `LIMITS MAILMAX` (RFC 9422 section 4).
    pub messages_per_connection: u32,
    /// What becomes of a CR or LF in a text that is no part of a CRLF. Whatever it is, only `CRLF.CRLF` or `BDAT … LAST` ends
    /// a message, and what is passed on is CRLF-clean.
    pub bare_line_ends: BareLineEnds,
    /// Lines of a text over 998 octets are taken: whoever takes the message deals with them. Else they are a fault.
    pub long_lines: bool,
    /// BINARYMIME is offered (RFC 3030 section 3): whoever takes the mail can have text that is not made of lines, with NULs and any CR and LF in it,
    /// and says [`BodyType::Binary`](types::BodyType::Binary) of it from then on.
    pub binary_mime: bool,
    /// DSN is offered (RFC 3461): whoever takes the mail tells senders what became of it, when and as they ask.
    pub dsn: bool,
    /// FUTURERELEASE is offered (RFC 4865): a message may wait so many seconds before it leaves. It needs [`Channel::now`](crate::Channel::now), too.
    pub max_hold: Option<u32>,
    /// DELIVERBY is offered (RFC 2852): the least seconds that a message may be given which is to be returned otherwise.
    pub min_deliver_by: Option<u32>,
    /// MT-PRIORITY is offered (RFC 6710): the highest priority of whoever has logged in. Who has not has none above 0.
    pub max_priority: Option<Priority>,
    /// REQUIRETLS is offered under TLS (RFC 8689): whoever takes the message sees to it that nobody gets it without.
    pub require_tls: bool,
    /// Commands before authentication, AUTH not counted; `None` is no limit. Where login is optional, none are counted.
    pub max_unauthenticated_commands: Option<u32>,
    /// Refused logins before the connection is closed.
    pub max_failures: u32,
}

impl Settings {
    /// What suits most servers: STARTTLS; PLAIN and LOGIN, under TLS alone; up to 1000 messages in a connection, of up to
    /// 35 MiB for up to 1000 recipients, without bare line ends and long lines; no BINARYMIME, DSN, FUTURERELEASE, DELIVERBY, MT-PRIORITY or REQUIRETLS; ten commands before a
    /// login, and three tries at it.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            greeting: "Gatepost".to_owned(),
            starttls: true,
            hide_starttls: false,
            allow_insecure: false,
            mechanisms: vec![Mechanism::Plain, Mechanism::Login],
            required_message: "Authentication required".to_owned(),
            message_size: 35 * 1024 * 1024,
            recipients: 1000,
            messages_per_connection: 1000,
            bare_line_ends: BareLineEnds::Refuse,
            long_lines: false,
            binary_mime: false,
            dsn: false,
            max_hold: None,
            min_deliver_by: None,
            max_priority: None,
            require_tls: false,
            max_unauthenticated_commands: Some(10),
            max_failures: 3,
        }
    }
}
