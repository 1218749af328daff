//! `[sending]`: how much an account may send that has no limits of its own.

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Cap};

/// How much an account may send; `None` is no limit. An hour or a day begins with the first message behind the one
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Messages in an hour.
    pub messages_per_hour: Option<u32>,
    /// Messages in a day.
    pub messages_per_day: Option<u32>,
    /// Recipients in an hour, each counted for every message.
    pub recipients_per_hour: Option<u32>,
    /// Recipients in a day.
    pub recipients_per_day: Option<u32>,
    /// Recipients in a day that the account never sent to before.
    pub new_recipients_per_day: Option<u32>,
}

impl Default for Sending {
    fn default() -> Sending {
        Sending {
            messages_per_hour: Some(2000),
            messages_per_day: Some(10_000),
            recipients_per_hour: Some(5000),
            recipients_per_day: Some(20_000),
            new_recipients_per_day: Some(1000),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    messages_per_hour: Option<Spanned<Cap>>,
    messages_per_day: Option<Spanned<Cap>>,
    recipients_per_hour: Option<Spanned<Cap>>,
    recipients_per_day: Option<Spanned<Cap>>,
    new_recipients_per_day: Option<Spanned<Cap>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Sending, Fault> {
        let (default, cap) =
            (Sending::default(), |written, default| value::cap(written, default, 1..=10_000_000));
        Ok(Sending {
            messages_per_hour: cap(self.messages_per_hour, default.messages_per_hour)?,
            messages_per_day: cap(self.messages_per_day, default.messages_per_day)?,
            recipients_per_hour: cap(self.recipients_per_hour, default.recipients_per_hour)?,
            recipients_per_day: cap(self.recipients_per_day, default.recipients_per_day)?,
            new_recipients_per_day: cap(self.new_recipients_per_day, default.new_recipients_per_day)?,
        })
    }
}
