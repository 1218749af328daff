//! Which fields a signature covers (RFC 6376 section 5.4).

use crate::header::{Header, HeaderError};

/// Signed, and once more than they are there, so that none can be added: who reads the message would see that one (RFC 6376 section 8.15).
const OVERSIGNED: [&str; 9] =
    ["From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "Content-Type", "MIME-Version"];

/// Signed if they are there. Whoever passes the message on, such as a mailing list, may add one. RFC 6376 section 5.4.1; RFC 8058 section 4
/// asks for the two of one-click unsubscription.
const IF_THERE: [&str; 20] = [
    "Sender",
    "In-Reply-To",
    "References",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "TLS-Required",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Date",
    "Resent-Message-ID",
];

/// The names of the fields to be signed of this section, which was accepted before. To the signer a name that comes twice is one that must
/// not be added.
///
/// # Errors
/// [`HeaderError`] for a section that was not.
pub(super) fn covered(section: &[u8]) -> Result<Vec<&'static str>, HeaderError> {
    let header = Header::parse_stored(section)?;
    let is_there = |name: &&str| header.named(name).next().is_some();
    let oversigned = OVERSIGNED.into_iter().flat_map(|name| [name; 2]);
    Ok(oversigned.chain(IF_THERE.into_iter().filter(is_there)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_may_add_is_signed_only_if_it_is_there() {
        let names = covered(b"From: a@example.org\r\nLIST-id: x\r\nReceived: x\r\n").unwrap();
        assert_eq!(names.iter().filter(|name| **name == "From").count(), 2);
        assert_eq!(names.iter().filter(|name| **name == "Cc").count(), 2);
        assert_eq!(names[18..], ["List-Id"]);
        let many = "X: y\r\n".repeat(crate::MAX_FIELDS) + "List-Id: x\r\n";
        assert_eq!(covered(many.as_bytes()).unwrap()[18..], ["List-Id"]);
        assert_eq!(covered(b"no header\r\n"), Err(HeaderError::NotAField));
    }
}
