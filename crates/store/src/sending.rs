//! What accounts have sent, and may send.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;
use types::AccountId;

use crate::{Act, Amounts, Error, Full, LimitedAccount, LimitedFilter, Limits, Loan, Page, Share};

/// A limit that an account has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnLimit {
    /// So many.
    AtMost(u32),
    /// As many as it likes.
    Unlimited,
}

/// What can't be a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to {MOST}, or none for no limit")]
pub struct NoLimit;

/// The largest limit that can be written, as in the configuration.
const MOST: u32 = 10_000_000;

/// A number, or `none`.
impl FromStr for OwnLimit {
    type Err = NoLimit;

    fn from_str(given: &str) -> Result<Self, NoLimit> {
        if given == "none" {
            return Ok(OwnLimit::Unlimited);
        }
        let number = given.parse().ok().filter(|number| (1..=MOST).contains(number));
        number.map(OwnLimit::AtMost).ok_or(NoLimit)
    }
}

impl fmt::Display for OwnLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnLimit::AtMost(number) => number.fmt(f),
            OwnLimit::Unlimited => f.write_str("none"),
        }
    }
}

/// The limits that an account has of its own; for the others the configuration speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnLimits {
    /// Messages in an hour.
    pub messages_per_hour: Option<OwnLimit>,
    /// Messages in a day.
    pub messages_per_day: Option<OwnLimit>,
    /// Recipients in an hour.
    pub recipients_per_hour: Option<OwnLimit>,
    /// Recipients in a day.
    pub recipients_per_day: Option<OwnLimit>,
    /// Recipients in a day that the account never sent to before.
    pub new_recipients_per_day: Option<OwnLimit>,
}

/// What is to become of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// The account gets its own; `None`: the configuration speaks again.
    Set(Option<OwnLimit>),
}

impl LimitChange {
    /// What there is after the change.
    #[must_use]
    pub fn of(self, old: Option<OwnLimit>) -> Option<OwnLimit> {
        match self {
            LimitChange::Keep => old,
            LimitChange::Set(new) => new,
        }
    }
}

/// A change of some of the limits that an account has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitChanges {
    /// Messages in an hour.
    pub messages_per_hour: LimitChange,
    /// Messages in a day.
    pub messages_per_day: LimitChange,
    /// Recipients in an hour.
    pub recipients_per_hour: LimitChange,
    /// Recipients in a day.
    pub recipients_per_day: LimitChange,
    /// Recipients in a day that the account never sent to before.
    pub new_recipients_per_day: LimitChange,
}

impl LimitChanges {
    /// The limits after the change.
    #[must_use]
    pub fn of(&self, old: &OwnLimits) -> OwnLimits {
        OwnLimits {
            messages_per_hour: self.messages_per_hour.of(old.messages_per_hour),
            messages_per_day: self.messages_per_day.of(old.messages_per_day),
            recipients_per_hour: self.recipients_per_hour.of(old.recipients_per_hour),
            recipients_per_day: self.recipients_per_day.of(old.recipients_per_day),
            new_recipients_per_day: self.new_recipients_per_day.of(old.new_recipients_per_day),
        }
    }
}

/// What was sent since a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// When the hour or day began: with the first message behind the one before.
    pub since: Timestamp,
    /// Messages.
    pub messages: u32,
    /// Recipients.
    pub recipients: u32,
    /// Recipients never sent to before; counted for the day.
    pub new_recipients: u32,
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// In its hour.
    pub hour: Tally,
    /// In its day.
    pub day: Tally,
}

/// A recipient as an account's correspondents know it: keyed, so that it tells nobody who that is.
pub type Correspondent = [u8; 16];

/// What accounts have sent, and may send. What a server may send without asking is lent to it
/// ([`Usage`](crate::Usage)); however many servers ask at once, no window has more than its limits in it.
pub trait Sending: Send + Sync + 'static {
    /// The limits that an account has of its own.
    fn own_limits(&self, account: AccountId) -> impl Future<Output = Result<OwnLimits, Error>> + Send;

    /// Changes some of them, whatever others change at the same time, and writes that into the audit trail.
    fn change_own_limits(
        &self,
        account: AccountId,
        changes: &LimitChanges,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// What was sent, as far as servers have written it down. What is lent to them is not among it.
    fn sent(&self, account: AccountId) -> impl Future<Output = Result<Option<Sent>, Error>> + Send;

    /// What each of these accounts has sent, as [`sent`](Sending::sent) tells it; those that never sent anything are left out. A few hundred at a time.
    fn sent_by(
        &self,
        accounts: &[AccountId],
    ) -> impl Future<Output = Result<Vec<(AccountId, Sent)>, Error>> + Send;

    /// A page of the accounts that the filter lets through, in the order of their addresses. The place of a page is such an address, in its normal
    /// form.
    fn limited_accounts(
        &self,
        filter: &LimitedFilter,
        page: Page<String>,
    ) -> impl Future<Output = Result<Vec<LimitedAccount>, Error>> + Send;

    /// Of these recipients, those that the account has never sent to, each once.
    fn strangers(
        &self,
        account: AccountId,
        recipients: &[Correspondent],
    ) -> impl Future<Output = Result<Vec<Correspondent>, Error>> + Send;

    /// Lends what is wanted, and some more, in exchange for what is `left` of an earlier loan: see [`Usage::lend`](crate::Usage::lend). If
    /// there is no room for it, the earlier loan stands. [`Error::NotFound`] without such an account.
    fn lend(
        &self,
        account: AccountId,
        left: &Share,
        wanted: &Amounts,
        limits: &Limits,
        now: Timestamp,
    ) -> impl Future<Output = Result<Result<Loan, Full>, Error>> + Send;

    /// Notes what was sent of a loan, and to whom. Written soon, together with others;
    /// [`Accounts::flush`](crate::Accounts::flush) writes it now.
    fn note_sent(&self, account: AccountId, sent: &Share, recipients: &[Correspondent], at: Timestamp);

    /// Gives back what is left of a loan. Written soon, as what was sent.
    fn give_back(&self, account: AccountId, left: &Share);

    /// Forgets correspondents that nobody has sent to since `before`; says how many. What a clock has noted that was more than a day ahead
    /// is taken to be of `now`.
    fn prune_correspondents(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}
