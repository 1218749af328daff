//! What was repaired in a message (RFC 6409 section 8, RFC 7103), for the log.

use std::collections::BTreeSet;
use std::fmt;

/// One kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// A byte order mark stood before the header.
    ByteOrderMark,
    /// A `From ` line, which separates messages in a mailbox file, stood before the header and was left out.
    MailboxLine,
    /// There was no header; one was made.
    NoHeader,
    /// The body began without a blank line before it.
    NoBlankLine,
    /// Blanks before the colon of a field.
    BlankBeforeColon,
    /// Folded lines of blanks alone.
    BlankFold,
    /// Octets above 127 in header fields.
    RawHeader,
    /// Header lines of more than 998 octets.
    LongHeaderLine,
    /// A From field was added.
    NoFrom,
    /// A From, Sender, Reply-To or Resent field without an address was left out.
    EmptyField,
    /// An author field was written anew.
    AuthorField,
    /// Octets above 127, or long lines, in the headers of MIME parts.
    PartHeader,
    /// Lines of the body of more than 998 octets.
    LongLine,
    /// CR and LF that were not part of a CRLF.
    LineEnd,
}

impl Repair {
    fn text(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "byte order mark",
            Self::MailboxLine => "mailbox line",
            Self::NoHeader => "no header",
            Self::NoBlankLine => "no blank line before the body",
            Self::BlankBeforeColon => "blank before a colon",
            Self::BlankFold => "blank folded line",
            Self::RawHeader => "raw octets in the header",
            Self::LongHeaderLine => "long header line",
            Self::NoFrom => "no From",
            Self::EmptyField => "field without an address",
            Self::AuthorField => "author field",
            Self::PartHeader => "header of a part",
            Self::LongLine => "long line",
            Self::LineEnd => "line ends",
        }
    }
}

/// All that was repaired in a message. Displayed as a list for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repairs(BTreeSet<Repair>);

impl Repairs {
    /// Adds one.
    pub fn add(&mut self, repair: Repair) {
        self.0.insert(repair);
    }

    /// Whether this was repaired.
    #[must_use]
    pub fn has(&self, repair: Repair) -> bool {
        self.0.contains(&repair)
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, repair) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { ", " } else { "" })?;
            f.write_str(repair.text())?;
        }
        Ok(())
    }
}
