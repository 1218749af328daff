//! What the client waits for, and how long that is worth waiting.

use std::fmt;
use std::time::Duration;

/// The step whose answer is due.
///
/// Exhaustive: each has a deadline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The 220 that opens.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Login,
    /// Nothing: between transactions.
    Idle,
    /// MAIL, and the RSET before it.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// Nothing: the text is being written.
    Body,
    /// The reply to the dot.
    FinalReply,
    /// QUIT.
    Quit,
}

impl Stage {
    /// How long to wait: the minima of RFC 5321 section 4.5.3.2, but for QUIT, of which nothing depends.
    pub const fn patience(self) -> Duration {
        let seconds = match self {
            // Sections 4.5.3.2.1 to 4.5.3.2.3.
            Stage::Greeting | Stage::Hello | Stage::StartTls | Stage::Login | Stage::Idle => 300,
            Stage::Mail | Stage::Recipient => 300,
            // Sections 4.5.3.2.4 to 4.5.3.2.6. A second copy is sent if the last one is cut short (RFC 1047).
            Stage::Data => 120,
            Stage::Body => 180,
            Stage::FinalReply => 600,
            Stage::Quit => 5,
        };
        Duration::from_secs(seconds)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "the greeting",
            Stage::Hello => "EHLO",
            Stage::StartTls => "STARTTLS",
            Stage::Login => "AUTH",
            Stage::Idle => "no command",
            Stage::Mail => "MAIL",
            Stage::Recipient => "RCPT",
            Stage::Data => "DATA",
            Stage::Body => "the message",
            Stage::FinalReply => "the end of the message",
            Stage::Quit => "QUIT",
        })
    }
}
