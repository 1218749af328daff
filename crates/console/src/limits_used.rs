//! How much of the sending limits is used, as bars.

use desk::view;
use store::Limit;

use crate::texts::Texts;

/// How much of a limit is used.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) words: String,
    /// Of a hundred, if there is a limit.
    pub(crate) percent: Option<u32>,
    /// The class of the bar.
    pub(crate) state: &'static str,
}

impl Used {
    /// Each of the five.
    pub(crate) fn each(sending: &view::Sending, t: Texts) -> Vec<Self> {
        sending.each().map(|(limit, usage)| Self::of(limit, usage, t)).into()
    }

    fn of(limit: Limit, usage: &view::Usage, t: Texts) -> Self {
        let percent =
            usage.limit.map(|most| usage.used.saturating_mul(100).checked_div(most).unwrap_or(100).min(100));
        let state = match percent {
            Some(100) => "bad",
            Some(80..) => "wait",
            _ => "",
        };
        let what = what(limit, t);
        let words = match usage.limit {
            Some(most) => t.used_of(what, usage.used, most),
            None => t.used(what, usage.used),
        };
        Self { words, percent, state }
    }
}

/// What is limited.
pub(crate) fn what(limit: Limit, t: Texts) -> &'static str {
    match limit {
        Limit::MessagesPerHour => t.messages_in_an_hour(),
        Limit::MessagesPerDay => t.messages_in_a_day(),
        Limit::RecipientsPerHour => t.recipients_in_an_hour(),
        Limit::RecipientsPerDay => t.recipients_in_a_day(),
        Limit::NewRecipientsPerDay => t.new_recipients_in_a_day(),
    }
}
