//! The text of a message on its way in: where it ends, and what may not be in it.

mod dot;
mod text;

pub(crate) use dot::{Dot, DotReader};
pub(crate) use text::{TextCheck, TextFault};
