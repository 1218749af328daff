//! The message as data: header section, repair, RFC 6409 fix-up, trace.
//!
//! A message is taken apart only as far as a submission server must. Its header section is gathered ([`Section`]); what could
//! not travel, or could be cut in two ways, is repaired ([`Gathered::repaired`]), and the result read strictly ([`Header`]). It
//! is asked who wrote the message ([`Authors`]), and rewritten with as few changes as RFC 6409 section 8 asks for ([`fixup()`]). What
//! leaves has one reading, for every reader; what can't have one is refused.
//!
//! The body is stored as it came. What of it the next host could not carry is found out by a [`Survey`] and
//! re-encoded by a [`Rewriter`] when the message leaves; all else of it stays octet for octet.
//!
//! What becomes of it, its sender is told in a [`Report`]. The domain of its author may have keys that sign it ([`dkim`]).
//!
//! What a signature covers is never changed ([`Coverage`], [`Untouchable`]).
#![warn(missing_docs)]

mod date;
mod repairs;
mod header;
mod section;
mod signature;
mod encoded_word;
mod lexer;
mod parameters;
mod raw_octets;
mod fold;
mod field_repair;
mod mailbox_list;
mod plain_form;
mod author_field;
mod authors;
mod received;
mod message_id;
mod fixup;
mod mime;
mod dsn;
mod tls_report;
pub mod dkim;

pub use authors::{Authors, AuthorsError};
pub use dsn::{Composed, Original, Report, ReportedRecipient, Status};
pub use field_repair::Unrepairable;
pub use fixup::{Authorship, Fixed, FixupError, MAX_HOPS, Options, fixup};
pub use header::{Field, Header, HeaderError, MAX_FIELDS, MAX_LINE};
pub use mailbox_list::ListError;
pub use mime::{Plan, Rewriter, Survey, Surveyed, Target, Untouchable};
pub use raw_octets::holds_addresses;
pub use received::Trace;
pub use repairs::{Repair, Repairs};
pub use section::{Gathered, MAX_SECTION, Progress, Section};
pub use signature::Coverage;
pub use tls_report::TlsReportMail;
