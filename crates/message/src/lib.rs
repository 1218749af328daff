//! The message as data: header section, RFC 6409 fix-up, trace.
//!
//! A message is taken apart only as far as a submission server must: the header section is gathered
//! ([`Section`]), read strictly ([`Header`]), asked who wrote the message ([`authors()`]), and rewritten with as
//! few changes as RFC 6409 section 8 asks for ([`fixup()`]). There is one reading of a header section, for every
//! purpose, and what has two readings is refused.
//!
//! The body is never looked at. In particular its lines may be longer than the 998 octets of RFC 5322 section
//! 2.1.1; that is neither refused nor repaired here.
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
pub use mime::{Plan, Survey, Surveyed, Target, Untouchable};
pub use section::{MAX_SECTION, Progress, Section};
