//! How much an account has sent of what it may.

use jiff::Timestamp;
use serde::Serialize;
use store::{Limit, Limits, Sent};

/// Where an account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sending {
    /// Messages in its hour.
    pub messages_per_hour: Usage,
    /// Messages in its day.
    pub messages_per_day: Usage,
    /// Recipients in its hour.
    pub recipients_per_hour: Usage,
    /// Recipients in its day.
    pub recipients_per_day: Usage,
    /// Recipients in its day that it never sent to before.
    pub new_recipients_per_day: Usage,
}

/// What is used of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Usage {
    /// So many.
    pub used: u32,
    /// Of so many; `None` is no limit.
    pub limit: Option<u32>,
    /// Whether the account has this limit of its own.
    pub own: bool,
    /// When the hour or the day ends, if one has begun.
    pub until: Option<Timestamp>,
}

/// An account, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitedAccount {
    /// Its address.
    pub address: String,
    /// What it has sent of what it may.
    pub sending: Sending,
}

impl Sending {
    pub(crate) fn of(limits: &Limits, sent: &Sent, now: Timestamp) -> Self {
        let of = |limit| Usage::of(limit, limits, sent, now);
        Self {
            messages_per_hour: of(Limit::MessagesPerHour),
            messages_per_day: of(Limit::MessagesPerDay),
            recipients_per_hour: of(Limit::RecipientsPerHour),
            recipients_per_day: of(Limit::RecipientsPerDay),
            new_recipients_per_day: of(Limit::NewRecipientsPerDay),
        }
    }

    /// Each limit with what is used of it.
    #[must_use]
    pub fn each(&self) -> [(Limit, &Usage); 5] {
        [
            (Limit::MessagesPerHour, &self.messages_per_hour),
            (Limit::MessagesPerDay, &self.messages_per_day),
            (Limit::RecipientsPerHour, &self.recipients_per_hour),
            (Limit::RecipientsPerDay, &self.recipients_per_day),
            (Limit::NewRecipientsPerDay, &self.new_recipients_per_day),
        ]
    }
}

impl Usage {
    fn of(limit: Limit, limits: &Limits, sent: &Sent, now: Timestamp) -> Self {
        let running = limit.window().running(sent, now);
        Self {
            used: running.map_or(0, |tally| limit.of(&tally)),
            limit: limits.at_most(limit),
            own: limits.is_own(limit),
            until: running.map(|tally| limit.window().end(tally.since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::{CommonLimits, OwnLimit, OwnLimits, Tally};

    use super::*;

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
        let common = CommonLimits {
            messages_per_hour: Some(2000),
            messages_per_day: Some(10_000),
            recipients_per_hour: Some(5000),
            recipients_per_day: Some(20_000),
            new_recipients_per_day: Some(1000),
        };
        let own = OwnLimits { recipients_per_hour: Some(OwnLimit::Unlimited), ..OwnLimits::default() };
        let standing = Sending::of(&Limits { common, own }, &Sent { hour, day }, now);
        let ended = |limit| serde_json::json!({"used": 0, "limit": limit, "own": false, "until": null});
        let expected = serde_json::json!({
            "messages_per_hour": {"used": 3, "limit": 2000, "own": false, "until": "2026-11-21T12:30:00Z"},
            "messages_per_day": ended(10_000),
            "recipients_per_hour": {"used": 7, "limit": null, "own": true, "until": "2026-11-21T12:30:00Z"},
            "recipients_per_day": ended(20_000),
            "new_recipients_per_day": ended(1000),
        });
        assert_eq!(serde_json::to_value(&standing).unwrap(), expected);
    }
}
