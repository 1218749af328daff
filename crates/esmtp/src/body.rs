//! The text of a message on its way in: where it ends, what is repaired, and what may not be in it.

mod dot;
mod line_ends;
mod text;

pub(crate) use dot::{Dot, DotReader};
pub(crate) use line_ends::LineEnds;
pub(crate) use text::{TextCheck, TextFault};
