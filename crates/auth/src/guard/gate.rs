//! The gate before the account password: how many wrong ones it lets through, and from whom.
//!
//! An account has one counter for all networks, and another for each network from which its password has lately been right
//! (a familiar network): somebody who knows neither the password nor such a network can't lock the owner out. A network has a
//! counter for all accounts, against trying one password on many; it does not stop accounts that are familiar there, or one person
//! in an office could lock the others out. Names that no account has are counted like others. The reasons are in
//! docs/decisions/0008-the-gate-counts-before-it-judges.md.

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use store::{Counter, Mark, ThrottleKey, ThrottleKind, Throttled, Throttles};
use types::Mailbox;

use crate::guard::guesses::Guesses;
use crate::policy::Policy;

/// How long a network stays familiar to an account after its password was last right there.
pub const FAMILIAR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The counters of one attempt.
pub(crate) struct Gate<'a, S> {
    store: &'a S,
    /// Reads the clock; an attempt may wait for seconds between two looks at the counters.
    now: fn() -> Timestamp,
    network: Counter,
    /// The counters of the account; `None` for a name that no account can have.
    account: Option<Guesses>,
}

impl<'a, S: Throttles> Gate<'a, S> {
    /// The gate for an attempt on the account `name`, if that is one, from this network.
    pub(crate) async fn before(
        store: &'a S,
        name: Option<&Mailbox>,
        network: IpNet,
        mark: Mark,
        policy: &Policy,
        now: fn() -> Timestamp,
    ) -> Result<Self, store::Error> {
        let account = match name {
            Some(name) => Some(account_key(store, name, network, now()).await?),
            None => None,
        };
        let account = account.map(|key| Guesses::at_password(key, mark, policy));
        let key = ThrottleKey { kind: ThrottleKind::Network, account: None, network: Some(network) };
        Ok(Self { store, now, network: Counter { key, allowance: policy.network, mark }, account })
    }

    /// Whether the attempt may be judged, as things stand; nothing is counted.
    pub(crate) async fn look(&self) -> Result<Option<Throttled>, store::Error> {
        let network = (!self.is_familiar()).then_some(&self.network);
        let of_account = self.account.iter().flat_map(Guesses::in_its_way);
        let counters: Vec<_> = of_account.chain(network).cloned().collect();
        self.store.throttled(&counters, (self.now)()).await
    }

    fn is_familiar(&self) -> bool {
        self.account.as_ref().is_some_and(Guesses::is_familiar)
    }

    /// Counts the attempt as one more failure of the account, unless there are too many. It is counted before it is
    /// judged, so that many at a time learn no more than many in a row. The network is not: a hundred people who log in
    /// at once from behind one address have not failed.
    pub(crate) async fn enter(&self) -> Result<Option<Throttled>, store::Error> {
        match &self.account {
            Some(account) => account.enter(self.store, (self.now)()).await,
            None => Ok(None),
        }
    }

    /// The password was right: the account's counter of the minute begins at zero again; that of the day goes on. An attempt that
    /// could not be judged stays counted: otherwise filling the hashing pool on purpose would give guesses back.
    pub(crate) async fn right(&self) -> Result<(), store::Error> {
        match &self.account {
            Some(account) => account.right(self.store).await,
            None => Ok(()),
        }
    }

    /// The attempt was right, but no guess: an app password. It is taken back, and the account's other failures stay counted, or
    /// somebody with an app password could try account passwords for ever.
    pub(crate) async fn no_guess(&self) -> Result<(), store::Error> {
        match &self.account {
            Some(account) => account.take_back(self.store).await,
            None => Ok(()),
        }
    }

    /// The attempt was wrong: that counts for the network, too.
    pub(crate) async fn wrong(&self) -> Result<(), store::Error> {
        self.store.attempt(std::slice::from_ref(&self.network), (self.now)()).await.map(drop)
    }
}

/// Whether this network is familiar to the account.
pub(crate) async fn is_familiar(
    store: &impl Throttles,
    name: &Mailbox,
    network: IpNet,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let since = now.saturating_sub(FAMILIAR).unwrap_or(Timestamp::MIN);
    store.is_familiar(name, &network, since).await
}

/// The key that failures of this account are counted by: with the network, if that is a familiar one.
async fn account_key(
    store: &impl Throttles,
    name: &Mailbox,
    network: IpNet,
    now: Timestamp,
) -> Result<ThrottleKey, store::Error> {
    let familiar = is_familiar(store, name, network, now).await?;
    let (account, network) = (Some(name.normal()), familiar.then_some(network));
    Ok(ThrottleKey { kind: ThrottleKind::Password, account, network })
}
