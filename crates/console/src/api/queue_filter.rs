//! Which messages in the queue: the same words behind the question mark of a list and in the body of an action.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{QueueFilter, RecipientFilter, RecipientState};
use types::{Domain, Mailbox, ReversePath};

use super::body::read_value;
use super::failure::Failure;
use super::filter::recipient_states;
use super::operation::Parameter;
use super::text::Text;
use crate::console::Console;
use crate::list::Query;

/// The words behind the question mark.
pub(crate) const PARAMETERS: &[Parameter] = &[
    Parameter::text("account", "Handed in by this account, which need not exist any more."),
    Parameter::text("sender", "With this envelope sender; `<>` for mail that has none."),
    Parameter::text("recipient_domain", "With a recipient of this domain."),
    Parameter::one_of("state", "With a recipient in this state.", recipient_states),
    Parameter::text("older_than", "Accepted before then: a time, or so long ago, such as `2h`."),
    Parameter::text("credential", "Handed in with this credential, as the audit trail has it."),
    Parameter::text("reply_contains", "With a recipient whose last reply has this text in it."),
];

/// Which messages: all of it must be true of one, and what is said of recipients of one and the same of them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Handed in by this account, which need not exist any more.
    account: Option<String>,
    /// With this envelope sender; `<>` for mail that has none.
    #[schema(value_type = Option<String>)]
    sender: Option<Text<Sender>>,
    /// With a recipient of this domain.
    #[schema(value_type = Option<String>)]
    recipient_domain: Option<Text<DomainName>>,
    /// With a recipient in this state: `queued`, `deferred`, `held`, `failed` or `delivered`.
    #[schema(value_type = Option<String>)]
    state: Option<Text<RecipientState>>,
    /// Accepted before then: a time, or so long ago, such as `2h`.
    #[schema(value_type = Option<String>)]
    older_than: Option<Text<Age>>,
    /// Handed in with this credential, as the audit trail has it.
    credential: Option<String>,
    /// With a recipient whose last reply has this text in it.
    reply_contains: Option<String>,
}

impl Words {
    /// What stands behind the question mark.
    ///
    /// # Errors
    /// When some of it is not understood.
    pub(crate) fn of_query(query: &Query) -> Result<Self, Failure> {
        let said =
            PARAMETERS.iter().filter_map(|one| Some((one.name.to_owned(), query.get(one.name)?.into())));
        read_value(Value::Object(said.collect::<Map<_, _>>())).map_err(Failure::of_parameters)
    }

    /// The filter that is meant at this time, by the accounts that there are.
    ///
    /// # Errors
    /// When the store can't tell.
    pub(crate) async fn meaning(self, console: &Console, now: Timestamp) -> Result<QueueFilter, Failure> {
        let account = match self.account {
            Some(address) => Some(console.desk().queued_by(address).await?),
            None => None,
        };
        Ok(QueueFilter {
            account,
            sender: self.sender.map(|Text(Sender(path))| path),
            credential: self.credential,
            accepted_before: self.older_than.map(|Text(age)| age.before(now)),
            recipient: RecipientFilter {
                domain: self.recipient_domain.map(|Text(DomainName(domain))| domain),
                state: self.state.map(|Text(state)| state),
                reply_contains: self.reply_contains,
            },
            ..QueueFilter::default()
        })
    }
}

/// An envelope sender.
#[derive(Debug)]
struct Sender(ReversePath);

/// A domain.
#[derive(Debug)]
struct DomainName(Domain);

/// A time, or so long ago.
#[derive(Debug, Clone, Copy)]
enum Age {
    Ago(SignedDuration),
    At(Timestamp),
}

/// What is not understood, and what to write.
#[derive(Debug, Clone, Copy)]
struct NotUnderstood(&'static str);

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Sender {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Self, NotUnderstood> {
        match text {
            "<>" => Ok(Self(ReversePath::Null)),
            text => Mailbox::parse(text)
                .map(|address| Self(ReversePath::Mailbox(address)))
                .map_err(|_| NotUnderstood("write an address like alice@example.org, or <>")),
        }
    }
}

impl FromStr for DomainName {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Self, NotUnderstood> {
        Domain::parse(text).map(Self).map_err(|_| NotUnderstood("write a domain like example.org"))
    }
}

impl FromStr for Age {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Self, NotUnderstood> {
        let ago = || text.parse().ok().map(Self::Ago);
        text.parse()
            .ok()
            .map(Self::At)
            .or_else(ago)
            .ok_or(NotUnderstood("write how long ago, like 2h, or a time like 2027-01-31T12:00:00Z"))
    }
}

impl Age {
    /// The time that is meant; what lies beyond the calendar is its beginning.
    fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_time_or_so_long_ago() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let before = |text: &str| text.parse::<Age>().map(|age| age.before(now).to_string()).ok();
        assert_eq!(before("2h").as_deref(), Some("2026-11-21T10:00:00Z"));
        assert_eq!(before("2026-01-31T12:00:00Z").as_deref(), Some("2026-01-31T12:00:00Z"));
        assert_eq!(before("soon"), None);
    }
}
