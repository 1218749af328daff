//! What holds for messages on their way in.

use std::time::Duration;

use store::CommonLimits;
use types::SenderCheck;

use crate::no_login::NoLogin;

/// How messages on their way in are treated, and what of them is refused. All of it can be replaced while the server runs.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What the server calls itself in Received.
    pub hostname: String,
    /// Whether MAIL FROM and the authors in the header must be the user's own.
    pub sender_check: SenderCheck,
    /// Whether a missing Date or Message-ID is added (RFC 6409 sections 8.2 and 8.3), and From where there is repair.
    pub add_missing_headers: bool,
    /// Whether Received leaves out the client's address and EHLO name.
    pub hide_client_address: bool,
    /// Whether Bcc is removed.
    pub remove_bcc: bool,
    /// Whether what a device or an old program gets wrong is repaired if it has one meaning all the same (RFC 6409 section 8).
    pub repair: bool,
    /// What machines without a login may hand in.
    pub no_login: NoLogin,
    /// How much an account may send that has no limits of its own.
    pub limits: CommonLimits,
    /// Octets that one account may have in messages that have not ended.
    pub unfinished: u64,
    /// How long messages can be taken back of whoever has not chosen otherwise, and wait to leave.
    pub undo: Duration,
    /// The longest that an account can have chosen.
    pub undo_max: Duration,
    /// How long a message that is handed in again is known as such; `None`: never.
    pub deduplicate: Option<Duration>,
}
