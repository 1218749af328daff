//! Re-encodes the body of a message, part by part (RFC 6409 section 8, RFC 2045, RFC 2046), where it could not
//! be sent otherwise: lines of more than 998 octets, octets above 127 for a host without 8BITMIME, and octets that are no lines at all
//! for one without BINARYMIME.
//!
//! That takes two passes: a [`Survey`] finds out what is needed, and a [`Rewriter`] does it. The content of each
//! part is, decoded, what it was, octet for octet. What a signature covers or what is not understood is never
//! changed ([`Untouchable`]).

mod untouchable;
mod part_fields;
mod content_type;
mod entity;
mod delimiter;
mod visitor;
mod held_back;
mod parts;
mod line_length;
mod binary;
mod utf8;
mod plan;
mod survey;
mod header_edit;
mod encoded_line;
mod quoted_printable;
mod soft_breaks;
mod base64_lines;
mod surrounding_text;
mod rewrite;

pub use plan::{Plan, Target};
pub use rewrite::Rewriter;
pub use survey::{Survey, Surveyed};
pub use untouchable::Untouchable;

#[cfg(test)]
mod decoded;
