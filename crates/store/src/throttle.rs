//! Throttles: failed logins, counted until their window has passed.

use std::fmt;
use std::future::Future;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use types::Mailbox;

use crate::{Act, Error};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThrottleKind {
    /// Wrong account passwords.
    Password,
    /// Wrong account passwords of a day, wherever from.
    PasswordDay,
    /// Wrong codes of a second factor.
    Totp,
    /// Wrong codes of a day, wherever from.
    TotpDay,
    /// Anything wrong from one network.
    Network,
}

impl ThrottleKind {
    /// Every kind there is.
    pub const ALL: [ThrottleKind; 5] = [
        ThrottleKind::Password,
        ThrottleKind::PasswordDay,
        ThrottleKind::Totp,
        ThrottleKind::TotpDay,
        ThrottleKind::Network,
    ];

    /// The kind as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ThrottleKind::Password => "password",
            ThrottleKind::PasswordDay => "password-day",
            ThrottleKind::Totp => "totp",
            ThrottleKind::TotpDay => "totp-day",
            ThrottleKind::Network => "network",
        }
    }
}

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ThrottleKey {
    /// What is counted.
    pub kind: ThrottleKind,
    /// The account that was named, in normal form, whether it exists or not; `None`: whatever account.
    pub account: Option<String>,
    /// The network they come from; `None`: wherever from.
    pub network: Option<IpNet>,
}

impl fmt::Display for ThrottleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.account, &self.network) {
            (Some(account), Some(network)) => write!(f, "{account} from {}", bare(network)),
            (Some(account), None) => f.write_str(account),
            (None, Some(network)) => f.write_str(&bare(network)),
            (None, None) => f.write_str("*"),
        }
    }
}

/// A single address without its prefix length.
fn bare(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// What tells one failure from another: equal marks count once. The first half stands for the account, so that the
/// different accounts that a network has tried can be counted. Keyed, so that it tells nobody what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The account.
    pub account: [u8; 8],
    /// What was tried there.
    pub secret: [u8; 8],
}

/// How much is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Different failures.
    pub failures: u32,
    /// Different accounts.
    pub accounts: u32,
    /// How long they count, from the first on.
    pub window: SignedDuration,
}

impl Allowance {
    /// Whether these marks use it up.
    #[must_use]
    pub fn is_used_up(&self, marks: &[Mark]) -> bool {
        let accounts: std::collections::HashSet<_> = marks.iter().map(|mark| mark.account).collect();
        at_least(marks.len(), self.failures) || at_least(accounts.len(), self.accounts)
    }
}

fn at_least(count: usize, limit: u32) -> bool {
    u32::try_from(count).unwrap_or(u32::MAX) >= limit
}

/// No counter lasts longer. One that ends more than two of these from now was begun by a clock that was ahead, and counts for nothing.
pub const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A failure as one counter sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Which counter.
    pub key: ThrottleKey,
    /// How far it goes.
    pub allowance: Allowance,
    /// The failure.
    pub mark: Mark,
}

/// Why an attempt is not to be judged now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// The counter that is used up; of several the one that ends last.
    pub key: ThrottleKey,
    /// When it begins anew.
    pub until: Timestamp,
}

/// A counter as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Which.
    pub key: ThrottleKey,
    /// The different failures.
    pub marks: Vec<Mark>,
    /// When it begins anew.
    pub until: Timestamp,
}

/// The throttles. They outlive a restart, and there are never more of them than the backend can hold with ease: beyond
/// that the oldest go.
pub trait Throttles: Send + Sync + 'static {
    /// Whether one of these counters is used up, reading only.
    fn throttled(
        &self,
        counters: &[Counter],
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Throttled>, Error>> + Send;

    /// Counts an attempt as failed before it is judged, so that many at a time are no more than many in a row. If
    /// one of the counters is used up, nothing is counted and that one comes back. A counter whose window has
    /// passed begins anew, with this attempt; so does one that lies more than a window ahead, because the clock was
    /// set back.
    fn attempt(
        &self,
        counters: &[Counter],
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Throttled>, Error>> + Send;

    /// The attempt succeeded: its `counters` are cleared, and it is taken out of `others` as by
    /// [`withdraw`](Throttles::withdraw). An attempt that could not be judged stays counted: were it
    /// taken back, who can keep the server from judging could take back what was judged wrong before.
    fn succeeded(
        &self,
        counters: &[Counter],
        others: &[Counter],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The attempt was no guess: it is no longer counted, and what others have failed still is. For one that was right
    /// and says nothing about what the counters are there for.
    fn withdraw(&self, counters: &[Counter]) -> impl Future<Output = Result<(), Error>> + Send;

    /// All counters whose window has not passed, those that end first in front.
    fn counted(&self, now: Timestamp) -> impl Future<Output = Result<Vec<Counted>, Error>> + Send;

    /// Clears all counters of an account that stand at the time of the act; says how many. If there are any, that is audited.
    fn clear_account(&self, account: &Mailbox, act: &Act) -> impl Future<Output = Result<u64, Error>> + Send;

    /// The same for a network: every counter of it, whatever account. The audit trail names its address.
    fn clear_network(&self, network: &IpNet, act: &Act) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Whether the account with this address has logged in from this network at `since` or later. Costs the same
    /// for an address that nobody has. Logins are noted by [`Accounts::logged_in`](crate::Accounts::logged_in).
    fn is_familiar(
        &self,
        address: &Mailbox,
        network: &IpNet,
        since: Timestamp,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Forgets counters whose window passed before `now`, and networks nobody has logged in from since
    /// `familiar_since`. What a clock has set that was more than a day ahead is put right: such counters are forgotten, and such
    /// logins are taken to be of now.
    fn prune_throttles(
        &self,
        now: Timestamp,
        familiar_since: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
