//! In whose names a message is written.

use types::Mailbox;

use crate::Header;
use crate::mailbox_list::read_mailboxes;

/// Why nobody can say who wrote a message. The message must be refused then: whatever we read in it, somebody
/// else may read another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum AuthorsError {
    /// RFC 5322 section 3.6 asks for exactly one From.
    NoFrom,
    /// See [`AuthorsError::NoFrom`].
    SeveralFrom,
    /// RFC 5322 section 3.6 allows one Sender.
    SeveralSender,
    /// A group, an obsolete form, a syntax error, or something with two readings.
    UnclearFrom,
    /// As [`AuthorsError::UnclearFrom`], or not exactly one address.
    UnclearSender,
    /// As [`AuthorsError::UnclearFrom`], in the fields of somebody who sends a message on.
    UnclearResent,
}

impl AuthorsError {
    /// What is wrong, for the one who sent the message.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoFrom => "the message has no From field",
            Self::SeveralFrom => "the message has more than one From field",
            Self::SeveralSender => "the message has more than one Sender field",
            Self::UnclearFrom => "the From field is not a plain list of addresses",
            Self::UnclearSender => "the Sender field is not one plain address",
            Self::UnclearResent => "a Resent-From or Resent-Sender field is not a plain list of addresses",
        }
    }
}

/// Every address in whose name the message speaks: those of From and Sender, and of any Resent-From and
/// Resent-Sender (RFC 5322 sections 3.6.2 and 3.6.6).
///
/// # Errors
/// [`AuthorsError`], for all that does not have exactly one reading.
pub fn authors(header: &Header<'_>) -> Result<Vec<Mailbox>, AuthorsError> {
    let mut authors = from(header)?;
    authors.extend(sender(header)?);
    for field in header.fields().filter(|field| field.is("Resent-From") || field.is("Resent-Sender")) {
        authors.extend(read_mailboxes(field.value()).map_err(|_| AuthorsError::UnclearResent)?);
    }
    Ok(authors)
}

fn from(header: &Header<'_>) -> Result<Vec<Mailbox>, AuthorsError> {
    let mut fields = header.named("From");
    let field = fields.next().ok_or(AuthorsError::NoFrom)?;
    if fields.next().is_some() {
        return Err(AuthorsError::SeveralFrom);
    }
    read_mailboxes(field.value()).map_err(|_| AuthorsError::UnclearFrom)
}

fn sender(header: &Header<'_>) -> Result<Option<Mailbox>, AuthorsError> {
    let mut fields = header.named("Sender");
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(AuthorsError::SeveralSender);
    }
    match read_mailboxes(field.value()) {
        Ok(mailboxes) if mailboxes.len() == 1 => Ok(mailboxes.into_iter().next()),
        Ok(_) | Err(_) => Err(AuthorsError::UnclearSender),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(section: &str) -> Result<Vec<String>, AuthorsError> {
        let header = Header::parse(section.as_bytes()).unwrap();
        Ok(authors(&header)?.iter().map(Mailbox::to_string).collect())
    }

    #[test]
    fn everybody_in_whose_name_the_message_speaks_is_named() {
        let section = "From: a@x, B <b@x>\r\nTo: t@x\r\nSender: s@x\r\nReply-To: r@x\r\n\r\n";
        assert_eq!(of(section).unwrap(), ["a@x", "b@x", "s@x"]);
        let resent = "Resent-Sender: q@x\r\nResent-From: p@x, o@x\r\nfrom: a@x\r\nResent-From: n@x\r\n\r\n";
        assert_eq!(of(resent).unwrap(), ["a@x", "q@x", "p@x", "o@x", "n@x"]);
    }

    #[test]
    fn there_is_one_from_and_at_most_one_sender() {
        for (section, error) in [
            ("", AuthorsError::NoFrom),
            ("Sender: a@x\r\n", AuthorsError::NoFrom),
            ("X-From: a@x\r\n", AuthorsError::NoFrom),
            ("From: a@x\r\nFrom: a@x\r\n", AuthorsError::SeveralFrom),
            ("From: a@x\r\nTo: b@x\r\nFROM: c@x\r\n", AuthorsError::SeveralFrom),
            ("From: a@x\r\nSender: a@x\r\nsender: a@x\r\n", AuthorsError::SeveralSender),
            ("From:\r\n", AuthorsError::UnclearFrom),
            ("From: a@x\r\nSender:\r\n", AuthorsError::UnclearSender),
            ("From: a@x\r\nSender: a@x, b@x\r\n", AuthorsError::UnclearSender),
            ("From: a@x\r\nSender: b\r\n", AuthorsError::UnclearSender),
            ("From: a@x\r\nResent-From: g: b@x;\r\n", AuthorsError::UnclearResent),
            ("From: a@x\r\nResent-Sender:\r\n", AuthorsError::UnclearResent),
        ] {
            assert_eq!(of(section), Err(error), "{section:?}");
        }
    }
}
