//! Throttles: failed logins, counted until their window has passed.

use std::fmt;
use std::future::Future;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use types::Mailbox;

use crate::{Act, Error, Page};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The kind that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ThrottleKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What failures are counted by. Keys have an order, in which a backend locks the counters of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// When a window ends that begins now.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Timestamp {
        end(now, self.window)
    }

    /// Whether a window that ends `until` then has not passed. One that ends more than two windows from now began before the
    /// clock was set back, and nobody shall wait until the clock is there again.
    #[must_use]
    pub fn is_running(&self, until: Timestamp, now: Timestamp) -> bool {
        now < until && until <= end(self.end(now), self.window)
    }
}

fn end(now: Timestamp, window: SignedDuration) -> Timestamp {
    now.checked_add(window).unwrap_or(Timestamp::MAX)
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

impl Counter {
    /// Why an attempt is not to be judged now, if this is how the counter stands and it is used up.
    #[must_use]
    pub fn throttled(&self, counted: &Counted, now: Timestamp) -> Option<Throttled> {
        let is_used_up =
            self.allowance.is_running(counted.until, now) && self.allowance.is_used_up(&counted.marks);
        is_used_up.then(|| Throttled { key: counted.key.clone(), until: counted.until })
    }
}

/// Why an attempt is not to be judged now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// The counter that is used up; of several the one that ends last.
    pub key: ThrottleKey,
    /// When it begins anew.
    pub until: Timestamp,
}

impl Throttled {
    /// Of several reasons the one that ends last.
    #[must_use]
    pub fn last(all: impl IntoIterator<Item = Throttled>) -> Option<Throttled> {
        all.into_iter().max_by_key(|throttled| throttled.until)
    }
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

impl Counted {
    /// The latest end of a counter that counts now, if the clock goes back by as much as the longest lasts.
    #[must_use]
    pub fn latest_end(now: Timestamp) -> Timestamp {
        end(end(now, LONGEST_WINDOW), LONGEST_WINDOW)
    }

    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> CountedPlace {
        (self.until, self.key.clone())
    }
}

/// The place of a counter in a list: those that end first are in front.
pub type CountedPlace = (Timestamp, ThrottleKey);

/// Which counters; an empty filter lets all through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThrottleFilter {
    /// Of this kind.
    pub kind: Option<ThrottleKind>,
    /// Of this account, in normal form.
    pub account: Option<String>,
    /// Of this network.
    pub network: Option<IpNet>,
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
    /// one of the counters is used up, nothing is counted and that one comes back. A counter whose window
    /// [has passed](Allowance::is_running) begins anew, with this attempt. All of that is decided while nobody else can
    /// change these counters, through whatever handle and from whatever process.
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

    /// A page of the counters that the filter lets through and whose window has not passed, those that end first in front.
    fn counted(
        &self,
        filter: &ThrottleFilter,
        page: Page<CountedPlace>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Counted>, Error>> + Send;

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
