//! `[submission]`: what happens to a message as it comes in.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use types::{BareLineEnds, SenderCheck};

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
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    #[serde(deserialize_with = "sender_check")]
    sender_check: Option<SenderCheck>,
    add_missing_headers: Option<bool>,
    hide_client_address: Option<bool>,
    remove_bcc: Option<bool>,
    repair: Option<bool>,
    #[serde(deserialize_with = "bare_line_ends")]
    bare_line_ends: Option<BareLineEnds>,
}

fn sender_check<'de, D: Deserializer<'de>>(written: D) -> Result<Option<SenderCheck>, D::Error> {
    const NAMES: [&str; 2] = [SenderCheck::Reject.name(), SenderCheck::Off.name()];
    let name = String::deserialize(written)?;
    let meant = SenderCheck::ALL.into_iter().find(|meant| meant.name() == name);
    meant.map(Some).ok_or_else(|| D::Error::unknown_variant(&name, &NAMES))
}

fn bare_line_ends<'de, D: Deserializer<'de>>(written: D) -> Result<Option<BareLineEnds>, D::Error> {
    const NAMES: [&str; 2] = [BareLineEnds::Refuse.name(), BareLineEnds::Repair.name()];
    let name = String::deserialize(written)?;
    let meant = BareLineEnds::ALL.into_iter().find(|meant| meant.name() == name);
    meant.map(Some).ok_or_else(|| D::Error::unknown_variant(&name, &NAMES))
}

impl Written {
    pub(crate) fn mean(self) -> Submission {
        let default = Submission::default();
        Submission {
            sender_check: self.sender_check.unwrap_or(default.sender_check),
            add_missing_headers: self.add_missing_headers.unwrap_or(default.add_missing_headers),
            hide_client_address: self.hide_client_address.unwrap_or(default.hide_client_address),
            remove_bcc: self.remove_bcc.unwrap_or(default.remove_bcc),
            repair: self.repair.unwrap_or(default.repair),
            bare_line_ends: self.bare_line_ends.unwrap_or(default.bare_line_ends),
        }
    }
}
