//! The header section of a message on its way in: repaired, read, and written as it travels on.

use esmtp::Rejection;
use message::{
    Authorship, Fixed, FixupError, Gathered, Header, HeaderError, Options, Repairs, Trace, Unrepairable,
};
use types::Mailbox;

use crate::rules::Rules;
use crate::sender::{self, Judged};

/// The fields, so that they have one reading and can travel, and what was repaired to that end.
///
/// # Errors
/// [`Rejection::Unrepairable`].
pub(crate) fn repaired(gathered: Gathered, repair: bool) -> Result<(Vec<u8>, Repairs), Rejection> {
    if repair {
        gathered.repaired().map_err(unrepairable)
    } else {
        Ok((gathered.as_they_came(), Repairs::default()))
    }
}

/// A header section with octets beyond ASCII needs SMTPUTF8 all the way (RFC 6532 section 3.6).
///
/// # Errors
/// [`Rejection::NonAsciiHeader`], or those of a malformed header section.
pub(crate) fn read(section: &[u8], utf8: bool) -> Result<Header<'_>, Rejection> {
    let header = Header::parse(section).map_err(malformed)?;
    if utf8 || header.is_ascii() {
        return Ok(header);
    }
    let foreign = header.fields().find(|field| !field.raw().is_ascii());
    if let Some(field) = foreign {
        let name = field.name();
        let signed = if header.coverage().has_field(name) { "signed " } else { "" };
        return Err(Rejection::NonAsciiHeader(format!("{signed}{name}")));
    }
    Ok(header)
}

/// The section as it travels on. `added` is its author if it names none.
///
/// # Errors
/// The reply to a message that can't be fixed up.
pub(crate) fn fix_up(
    header: &Header<'_>,
    judged: Judged<'_>,
    added: Option<&Mailbox>,
    trace: &Trace<'_>,
    rules: &Rules,
    repairs: &mut Repairs,
) -> Result<Fixed, Rejection> {
    let options = Options { add_missing_headers: rules.add_missing_headers, remove_bcc: rules.remove_bcc };
    let Judged { authors, own, .. } = judged;
    let authorship = Authorship { authors, author: added, own: &|mailbox| own.contains(mailbox) };
    message::fixup(header, &authorship, trace, &options, repairs).map_err(|error| match error {
        FixupError::TooManyHops => Rejection::TooManyHops,
        FixupError::Date => Rejection::Unavailable,
        FixupError::Signed(_) => Rejection::Unrepairable(error.to_string()),
        FixupError::Authors(unclear) => sender::unclear(unclear),
    })
}

pub(crate) fn malformed(error: HeaderError) -> Rejection {
    if error.is_too_big() { Rejection::HeaderTooBig } else { Rejection::BadHeader(error.to_string()) }
}

fn unrepairable(error: Unrepairable) -> Rejection {
    Rejection::Unrepairable(error.to_string())
}
