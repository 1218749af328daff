//! How much an account may send, and where it stands: `gatepost user limit`, and a part of `gatepost user show`.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use store::{Account, Limit, LimitChange, LimitChanges, Limits, OwnLimit, Sending, Sent};

use crate::{actor, clock, output, wiring};

/// The largest limit that can be written, as in the configuration.
const MOST: u32 = 10_000_000;

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
            "none" => Ok(Wanted(Some(OwnLimit::Unlimited))),
            number => number
                .parse()
                .ok()
                .filter(|number| (1..=MOST).contains(number))
                .map(|number| Wanted(Some(OwnLimit::AtMost(number))))
                .ok_or_else(|| format!("write 1 to {MOST}, none for no limit, or default")),
        }
    }
}

impl Change {
    /// Changes what is to be changed.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub(super) async fn make(&self, store: &impl Sending, account: &Account) -> anyhow::Result<()> {
        let (old, changes) = (store.own_limits(account.id).await?, self.changes());
        if changes.of(&old) != old {
            store.change_own_limits(account.id, &changes, &actor::act()).await?;
        }
        Ok(())
    }

    fn changes(&self) -> LimitChanges {
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

/// Where an account stands, as `--json` shows it.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    messages_per_hour: Usage,
    messages_per_day: Usage,
    recipients_per_hour: Usage,
    recipients_per_day: Usage,
    new_recipients_per_day: Usage,
}

/// What is used of a limit.
#[derive(Debug, Serialize)]
struct Usage {
    used: u32,
    /// `None` is no limit.
    limit: Option<u32>,
    /// Whether the account has this limit of its own.
    own: bool,
    /// When the hour or the day ends, if one has begun.
    until: Option<Timestamp>,
    #[serde(skip)]
    what: &'static str,
}

impl Standing {
    /// Reads where the account stands. A server that runs writes that down within a second or so.
    ///
    /// # Errors
    /// When the store can't tell.
    pub(super) async fn read(
        store: &impl Sending,
        configured: config::Sending,
        account: &Account,
    ) -> anyhow::Result<Standing> {
        let common = wiring::common_limits(configured);
        let limits = Limits { common, own: store.own_limits(account.id).await? };
        let sent = store.sent(account.id).await?.unwrap_or_default();
        Ok(Standing::of(&limits, &sent, clock::now()))
    }

    fn of(limits: &Limits, sent: &Sent, now: Timestamp) -> Standing {
        let of = |limit| Usage::of(limit, limits, sent, now);
        Standing {
            messages_per_hour: of(Limit::MessagesPerHour),
            messages_per_day: of(Limit::MessagesPerDay),
            recipients_per_hour: of(Limit::RecipientsPerHour),
            recipients_per_day: of(Limit::RecipientsPerDay),
            new_recipients_per_day: of(Limit::NewRecipientsPerDay),
        }
    }

    /// One line for each limit, as people read it.
    pub(super) fn lines(&self) -> [(&'static str, String); 5] {
        [
            &self.messages_per_hour,
            &self.messages_per_day,
            &self.recipients_per_hour,
            &self.recipients_per_day,
            &self.new_recipients_per_day,
        ]
        .map(|usage| (usage.what, usage.text()))
    }
}

impl Usage {
    fn of(limit: Limit, limits: &Limits, sent: &Sent, now: Timestamp) -> Usage {
        let running = limit.window().running(sent, now);
        Usage {
            used: running.map_or(0, |tally| limit.of(&tally)),
            limit: limits.at_most(limit),
            own: limits.is_own(limit),
            until: running.map(|tally| limit.window().end(&tally)),
            what: limit.what(),
        }
    }

    fn text(&self) -> String {
        let of = self.limit.map_or_else(|| ", no limit".to_owned(), |limit| format!(" of {limit}"));
        let own = if self.own { " (its own)" } else { "" };
        let until = self.until.map(|end| format!(", until {}", output::time(end))).unwrap_or_default();
        format!("{}{of}{own}{until}", self.used)
    }
}

#[cfg(test)]
mod tests {
    use store::{OwnLimits, Tally};

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
    fn where_an_account_stands_is_told_in_full() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let hour = Tally {
            since: "2026-11-21T11:30:00Z".parse().unwrap(),
            messages: 3,
            recipients: 7,
            new_recipients: 0,
        };
        let day = Tally {
            since: "2026-11-20T11:59:59Z".parse().unwrap(),
            messages: 300,
            recipients: 700,
            new_recipients: 9,
        };
        let own = OwnLimits { recipients_per_hour: Some(OwnLimit::Unlimited), ..OwnLimits::default() };
        let limits = Limits { common: wiring::common_limits(config::Sending::default()), own };
        let standing = Standing::of(&limits, &Sent { hour, day }, now);
        let ended = |limit| serde_json::json!({"used": 0, "limit": limit, "own": false, "until": null});
        let expected = serde_json::json!({
            "messages_per_hour": {"used": 3, "limit": 2000, "own": false, "until": "2026-11-21T12:30:00Z"},
            "messages_per_day": ended(10_000),
            "recipients_per_hour": {"used": 7, "limit": null, "own": true, "until": "2026-11-21T12:30:00Z"},
            "recipients_per_day": ended(20_000),
            "new_recipients_per_day": ended(1000),
        });
        assert_eq!(serde_json::to_value(&standing).unwrap(), expected);
        let [hour, day, recipients, ..] = standing.lines();
        assert_eq!(hour, ("messages an hour", "3 of 2000, until 2026-11-21 12:30:00Z".to_owned()));
        assert_eq!(day, ("messages a day", "0 of 10000".to_owned()));
        assert_eq!(recipients.1, "7, no limit (its own), until 2026-11-21 12:30:00Z");
    }
}
