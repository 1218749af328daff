//! States of messages and recipients: told by a word, a shape and a colour.

use crate::texts::Texts;

/// A state, as a page has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// The class of its colours.
    pub(crate) class: &'static str,
    /// The name of its picture, without `i-`.
    pub(crate) icon: &'static str,
    pub(crate) words: &'static str,
}

impl State {
    /// The state with this name, as the queue and the ledger have it.
    pub(crate) fn of(name: &str, t: Texts) -> Self {
        let (class, icon, words) = match name {
            "delivered" => ("good", "ok", t.delivered()),
            "deferred" => ("wait", "clock", t.will_be_tried_again()),
            "held" => ("held", "pause", t.held()),
            "failed" => ("bad", "no", t.refused()),
            "cancelled" => ("", "no", t.cancelled()),
            _ => ("", "clock", t.waiting()),
        };
        Self { class, icon, words }
    }
}
