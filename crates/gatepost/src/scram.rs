//! What SCRAM lacks for a password that was set, as people are told.

use anyhow::Error;
use desk::ScramLack;
use types::Mailbox;

use crate::{error_line, output};

/// Tells on stderr what SCRAM lacks for a password of this account, if anything.
pub(crate) fn tell(address: &Mailbox, lack: Option<ScramLack>) {
    let Some(lack) = lack else { return };
    output::warn(&match lack {
        ScramLack::Forbidden => {
            format!("SCRAM will not take this password of {address}: RFC 4013 forbids characters of it")
        }
        lack => format!(
            "SCRAM takes this password of {address} only after a login with PLAIN: {}",
            error_line::of(&Error::new(lack))
        ),
    });
}
