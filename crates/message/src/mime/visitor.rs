//! What is told of the pieces of a message, in their order.

use super::entity::Entity;
use super::untouchable::Untouchable;

/// Takes the pieces of a message in their order.
pub(super) trait Visitor {
    /// A header section has ended. What follows is its content (a preamble, if it is a multipart), or the
    /// header section of the message within, or a delimiter line.
    fn header(&mut self, part: &Part<'_>);

    /// Takes octets of the content, of a preamble or of an epilogue.
    fn content(&mut self, octets: &[u8]);

    /// A delimiter line has ended what went before. What follows is a header section, or the epilogue if the
    /// line closes its multipart.
    fn delimiter(&mut self, delimiter: &Delimiter<'_>);
}

/// An entity whose header section has ended.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// The number of entities before it. The message itself has 0.
    pub(super) index: u32,
    pub(super) entity: &'a Entity,
    /// Whether it is a message, with the fields of one, and not a part of a multipart.
    pub(super) is_message: bool,
    /// Why neither its header section nor its content may be changed.
    pub(super) untouchable: Option<Untouchable>,
    /// Its header section without the blank line.
    pub(super) section: &'a [u8],
    pub(super) end: SectionEnd,
}

/// What ended a header section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionEnd {
    BlankLine,
    /// A line that is no field, or the end of the message.
    Text,
    Delimiter,
}

/// A delimiter line.
#[derive(Debug)]
pub(super) struct Delimiter<'a> {
    /// The line, with the CRLF before it if that is not the end of a header section. Only that CRLF, if the end
    /// of the message stands for the line.
    pub(super) octets: &'a [u8],
    /// Whether it begins a part of the innermost multipart that was open.
    pub(super) begins_own_part: bool,
    /// Why its multipart may not be changed.
    pub(super) untouchable: Option<Untouchable>,
}
