//! The message as data: header section, RFC 6409 fix-up, trace.
//!
//! A message is taken apart only as far as a submission server must: the header section is gathered
//! ([`Section`]), read strictly ([`Header`]), asked who wrote the message ([`authors()`]), and rewritten with as
//! few changes as RFC 6409 section 8 asks for ([`fixup()`]). There is one reading of a header section, for every
//! purpose, and what has two readings is refused.
//!
//! The body is stored as it came. What of it the next host could not carry is found out by a [`Survey`] and
//! re-encoded by a [`Rewriter`] when the message leaves; all else of it stays octet for octet.
#![warn(missing_docs)]

mod section;
mod header;
mod authors;
mod mailbox_list;
mod fixup;
mod received;
mod field_repair;
mod mime;

pub use authors::{AuthorsError, authors};
pub use fixup::{FixupError, MAX_HOPS, Options, Trace, fixup};
pub use header::{Field, Header, HeaderError, MAX_FIELD, MAX_FIELDS, MAX_LINE};
pub use mime::{Plan, Rewriter, Survey, Surveyed, Target, Untouchable};
pub use section::{MAX_SECTION, Progress, Section};
