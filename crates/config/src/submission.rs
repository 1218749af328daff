//! `[submission]`: what happens to a message as it comes in.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use types::{BareLineEnds, SenderCheck};

use crate::fault::Fault;
use crate::value::{self, Time, TimeOrNever};
use crate::word::Word;

/// Nobody waits longer for a message to leave.
const LONGEST_UNDO: Duration = Duration::from_secs(60 * 60);

/// Clients that have lost a reply try again within minutes, or hours.
const LONGEST_DEDUPLICATE: Duration = Duration::from_secs(24 * 60 * 60);

/// What happens to a message as it comes in (RFC 6409 sections 6 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whether MAIL FROM and From must belong to the account.
    pub sender_check: SenderCheck,
    /// Add Date and Message-ID if they are missing (RFC 6409 sections 8.2 and 8.3), and From where there is repair.
    pub add_missing_headers: bool,
    /// No client address or EHLO name in Received.
    pub hide_client_address: bool,
    /// Remove Bcc.
    pub remove_bcc: bool,
    /// Repair what a device or an old program gets wrong and what has one meaning all the same (RFC 6409 section 8).
    pub repair: bool,
    /// What becomes of a CR or LF that is no part of a CRLF.
    pub bare_line_ends: BareLineEnds,
    /// How long a message can be taken back, and waits to leave; nothing: it leaves at once.
    pub undo: Duration,
    /// The longest that an account can choose instead.
    pub undo_max: Duration,
    /// How long a message that is handed in again is known as such, and not sent twice; `None`: never.
    pub deduplicate: Option<Duration>,
}

impl Default for Submission {
    fn default() -> Submission {
        Submission {
            sender_check: SenderCheck::Reject,
            add_missing_headers: true,
            hide_client_address: true,
            remove_bcc: true,
            repair: true,
            bare_line_ends: BareLineEnds::Refuse,
            undo: Duration::ZERO,
            undo_max: Duration::from_secs(2 * 60),
            deduplicate: Some(Duration::from_secs(10 * 60)),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    sender_check: Option<Word<SenderCheck>>,
    add_missing_headers: Option<bool>,
    hide_client_address: Option<bool>,
    remove_bcc: Option<bool>,
    repair: Option<bool>,
    bare_line_ends: Option<Word<BareLineEnds>>,
    undo: Option<Spanned<Time>>,
    undo_max: Option<Spanned<Time>>,
    deduplicate: Option<Spanned<TimeOrNever>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Submission, Fault> {
        let default = Submission::default();
        let undo_max = value::time(self.undo_max, default.undo_max, Duration::ZERO..=LONGEST_UNDO)?;
        Ok(Submission {
            undo: value::time(self.undo, default.undo, Duration::ZERO..=undo_max)?,
            undo_max,
            deduplicate: value::time_or_never(
                self.deduplicate,
                default.deduplicate,
                Duration::from_secs(1)..=LONGEST_DEDUPLICATE,
            )?,
            sender_check: self.sender_check.map_or(default.sender_check, |Word(choice)| choice),
            add_missing_headers: self.add_missing_headers.unwrap_or(default.add_missing_headers),
            hide_client_address: self.hide_client_address.unwrap_or(default.hide_client_address),
            remove_bcc: self.remove_bcc.unwrap_or(default.remove_bcc),
            repair: self.repair.unwrap_or(default.repair),
            bare_line_ends: self.bare_line_ends.map_or(default.bare_line_ends, |Word(choice)| choice),
        })
    }
}
