//! What lists are filtered by, as it stands behind the question mark. The names are those of the options of the command line.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use store::{AccountState, AuditResult, LedgerFilter, QueuedBy, RecipientState, ThrottleKind};

use super::failure::Failure;
use super::operation::Parameter;
use crate::list::Query;

/// What sent messages are filtered by.
pub(crate) const OF_MESSAGES: &[Parameter] = &[RECIPIENT, CREDENTIAL, MESSAGE_ID, SINCE, UNTIL];

/// What everybody's sent messages are filtered by.
pub(crate) const OF_ALL_MESSAGES: &[Parameter] = &[ACCOUNT, RECIPIENT, CREDENTIAL, MESSAGE_ID, SINCE, UNTIL];

const ACCOUNT: Parameter =
    Parameter::text("account", "Handed in by this account, which need not exist any more.");
const CREDENTIAL: Parameter =
    Parameter::text("credential", "Handed in with this credential, as the audit trail has it.");
const RECIPIENT: Parameter = Parameter::text("recipient", "To this address.");
const MESSAGE_ID: Parameter = Parameter::text("message_id", "With this Message-ID.");
const SINCE: Parameter = Parameter::time("since", "Accepted then or later.");
const UNTIL: Parameter = Parameter::time("until", "Accepted before then.");

pub(crate) fn recipient_states() -> Vec<&'static str> {
    RecipientState::ALL.map(RecipientState::name).into()
}

pub(crate) fn account_states() -> Vec<&'static str> {
    AccountState::ALL.map(AccountState::name).into()
}

pub(crate) fn results() -> Vec<&'static str> {
    AuditResult::ALL.map(AuditResult::name).into()
}

pub(crate) fn throttle_kinds() -> Vec<&'static str> {
    ThrottleKind::ALL.map(ThrottleKind::name).into()
}

/// What stands for this name, read as what it is to be.
///
/// # Errors
/// When it is not.
pub(crate) fn read<T: FromStr<Err: fmt::Display>>(query: &Query, name: &str) -> Result<Option<T>, Failure> {
    query
        .get(name)
        .map(str::parse)
        .transpose()
        .map_err(|error: T::Err| Failure::parameter(name, error.to_string()))
}

/// The time that stands for this name.
///
/// # Errors
/// When it is none.
pub(crate) fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Failure> {
    let time = query.get(name).map(str::parse).transpose();
    time.map_err(|_| Failure::parameter(name, "write a time like 2027-01-31T12:00:00Z"))
}

/// The filter of sent messages that is asked for, of this account.
///
/// # Errors
/// When some of it is not understood.
pub(crate) fn messages(query: &Query, account: Option<QueuedBy>) -> Result<LedgerFilter, Failure> {
    let text = |name| query.get(name).map(str::to_owned);
    Ok(LedgerFilter {
        account,
        credential: text("credential"),
        recipient: text("recipient"),
        message_id: query.get("message_id").map(|id| format!("<{}>", id.trim_matches(['<', '>']))),
        since: time(query, "since")?,
        until: time(query, "until")?,
        ..LedgerFilter::default()
    })
}
