//! How much an account may send, and where it stands: `gatepost user limit`, and a part of `gatepost user show`.

use std::str::FromStr;

use desk::view::{Sending, Usage};
use store::{LimitChange, LimitChanges, NoLimit, OwnLimit};

use crate::output;

/// Limits to be changed.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// Messages in an hour
    #[arg(long, value_name = "N|none|default")]
    messages_per_hour: Option<Wanted>,
    /// Messages in a day
    #[arg(long, value_name = "N|none|default")]
    messages_per_day: Option<Wanted>,
    /// Recipients in an hour
    #[arg(long, value_name = "N|none|default")]
    recipients_per_hour: Option<Wanted>,
    /// Recipients in a day
    #[arg(long, value_name = "N|none|default")]
    recipients_per_day: Option<Wanted>,
    /// Recipients in a day that it never sent to before
    #[arg(long, value_name = "N|none|default")]
    new_recipients_per_day: Option<Wanted>,
}

/// What a limit is to be: its own, or that of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted(Option<OwnLimit>);

impl FromStr for Wanted {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "default" => Ok(Wanted(None)),
            limit => limit
                .parse()
                .map(|limit| Wanted(Some(limit)))
                .map_err(|error: NoLimit| format!("{error}, or default")),
        }
    }
}

impl Change {
    /// What is to be changed.
    pub(super) fn changes(&self) -> LimitChanges {
        let of =
            |wanted: Option<Wanted>| wanted.map_or(LimitChange::Keep, |Wanted(new)| LimitChange::Set(new));
        LimitChanges {
            messages_per_hour: of(self.messages_per_hour),
            messages_per_day: of(self.messages_per_day),
            recipients_per_hour: of(self.recipients_per_hour),
            recipients_per_day: of(self.recipients_per_day),
            new_recipients_per_day: of(self.new_recipients_per_day),
        }
    }
}

/// One line for each limit, as people read it.
pub(super) fn lines(sending: &Sending) -> [(&'static str, String); 5] {
    sending.each().map(|(limit, usage)| (limit.what(), text(usage)))
}

fn text(usage: &Usage) -> String {
    let of = usage.limit.map_or_else(|| ", no limit".to_owned(), |limit| format!(" of {limit}"));
    let own = if usage.own { " (its own)" } else { "" };
    let until = usage.until.map(|end| format!(", until {}", output::time(end))).unwrap_or_default();
    format!("{}{of}{own}{until}", usage.used)
}

#[cfg(test)]
mod tests {
    use store::OwnLimits;

    use super::*;

    fn wanted(given: &str) -> Result<Wanted, String> {
        given.parse()
    }

    #[test]
    fn a_limit_is_a_number_none_or_default() {
        assert_eq!(wanted("default"), Ok(Wanted(None)));
        assert_eq!(wanted("none"), Ok(Wanted(Some(OwnLimit::Unlimited))));
        assert_eq!(wanted("500"), Ok(Wanted(Some(OwnLimit::AtMost(500)))));
        for wrong in ["", "0", "-1", "10000001", "all", "5k", "None"] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let change = Change {
            messages_per_hour: wanted("5").ok(),
            messages_per_day: wanted("default").ok(),
            recipients_per_hour: None,
            recipients_per_day: None,
            new_recipients_per_day: wanted("none").ok(),
        };
        let [one, two] = [Some(OwnLimit::AtMost(1)), Some(OwnLimit::AtMost(2))];
        let old = OwnLimits {
            messages_per_hour: one,
            messages_per_day: one,
            recipients_per_hour: two,
            ..OwnLimits::default()
        };
        let new = OwnLimits {
            messages_per_hour: Some(OwnLimit::AtMost(5)),
            messages_per_day: None,
            recipients_per_hour: two,
            recipients_per_day: None,
            new_recipients_per_day: Some(OwnLimit::Unlimited),
        };
        assert_eq!(change.changes().of(&old), new);
    }

    #[test]
    fn a_limit_is_one_line() {
        let until = "2026-11-21T12:30:00Z".parse().ok();
        let own = |used, limit, own, until| text(&Usage { used, limit, own, until });
        assert_eq!(own(3, Some(2000), false, until), "3 of 2000, until 2026-11-21 12:30:00Z");
        assert_eq!(own(0, Some(10_000), false, None), "0 of 10000");
        assert_eq!(own(7, None, true, until), "7, no limit (its own), until 2026-11-21 12:30:00Z");
    }
}
